"""The versions that a measurement is made with, read from package metadata without importing the packages."""

from __future__ import annotations

import functools
import platform
from importlib import metadata

from tools.measure.records import Environment


def version(distribution: str) -> str:
    """The installed version of ``distribution``, or an empty string where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


@functools.cache
def environment() -> Environment:
    """This process's environment. torch's local version label (``+cpu``) is part of its version."""
    return Environment(
        python=platform.python_version(),
        torch=version("torch"),
        fvcore=version("fvcore"),
        platform=f"{platform.system()} {platform.machine()}",
    )
