"""What a measurement depends on besides its request: source files and installed versions, told without importing any.

A factory's package is hashed file by file where it is local (in the zoo's folder, or installed in place), and known
by its distribution's version where it is installed. Modules from elsewhere in the zoo's folder that were imported
while building are only known afterwards: the worker names them (:func:`loaded_sources`), and the cache checks them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import tools
from tools.measure.environment import version
from tools.measure.records import Factory

_HASHED_BYTES = 1 << 20
"""Larger files of a package (weights that somebody keeps beside the code) are known by size and time of change."""
_NOT_SOURCE = {"__pycache__", ".git", ".venv", "venv", "node_modules"}
_INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
_DISTRIBUTIONS = ("torch", "fvcore", "numpy")


def factory_digest(factory: Factory) -> str:
    """Changes whenever the code behind any of the factory's callables does."""
    targets = (factory.target, factory.config_of, factory.list_models)
    packages = sorted({target.partition(":")[0].partition(".")[0] for target in targets if target})
    digest = hashlib.sha256()
    for package in packages:
        digest.update(f"{package}={_package_digest(package, Path(factory.root))}\n".encode())
    return digest.hexdigest()


def own_digest() -> str:
    """Changes whenever this package's code or the versions it measures with do."""
    digest = hashlib.sha256(files_digest([Path(__file__).parent]).encode())
    digest.update(f"{platform.python_version()} {platform.system()} {platform.machine()}\n".encode())
    for name in _DISTRIBUTIONS:
        digest.update(f"{name} {version(name)}\n".encode())
    return digest.hexdigest()


def local_package(package: str, root: Path) -> Path | None:
    """The folder or file of ``package`` under ``root``, or where it is installed in place; ``None``: installed."""
    for place in (root / package, root / f"{package}.py"):
        if place.is_file() or (place.is_dir() and package != "tools"):
            return place
    if package == "tools" and (root / "tools").is_dir() and (root / "tools").resolve() != _own_folder():
        return root / "tools"
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    found = spec.origin or next(iter(spec.submodule_search_locations or ()), None)
    if found is None or found.startswith(_INSTALLED) or not Path(found).exists():
        return None
    return Path(found).parent if spec.submodule_search_locations else Path(found)


def _package_digest(package: str, root: Path) -> str:
    place = local_package(package, root)
    if place is not None:
        return files_digest([place])
    found = version(package)
    if not found:
        names = metadata.packages_distributions().get(package, [])
        found = " ".join(f"{name} {version(name)}" for name in sorted(names))
    return found or "missing"


def files_digest(places: Iterable[Path]) -> str:
    """A digest of names and contents of all files in ``places`` (files and folders)."""
    digest = hashlib.sha256()
    for place in places:
        for path in source_files(place):
            try:
                state = path.stat()
                large = state.st_size > _HASHED_BYTES
                told = (
                    f"{state.st_size} {state.st_mtime_ns}" if large else hashlib.sha256(path.read_bytes()).hexdigest()
                )
            except OSError as error:
                told = f"unreadable: {error.errno}"
            digest.update(f"{path.relative_to(place.parent).as_posix()} {told}\n".encode())
    return digest.hexdigest()


def source_files(place: Path) -> Iterator[Path]:
    """The files of a package in a fixed order, without caches, environments and hidden folders."""
    if place.is_file():
        yield place
        return
    for path in sorted(place.iterdir()):
        if path.name in _NOT_SOURCE or path.name.startswith(".") or path.suffix == ".pyc":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from source_files(path)
        elif path.is_file():
            yield path


def loaded_sources(root: str) -> dict[str, str]:
    """Files under ``root`` that modules of this process came from -> SHA-256; installed packages and ours left out.

    A file's digest is that of when it was first asked for, which is just after it was loaded.
    """
    folder = f"{Path(root).resolve()}{os.sep}"
    not_theirs = (*_INSTALLED, sys.prefix + os.sep, f"{_own_folder()}{os.sep}")
    known, found = _known_modules(folder)
    for name, module in list(sys.modules.items()):
        if known.get(name) is module:
            continue
        known[name] = module
        origin = getattr(module, "__file__", None)
        if origin and origin.startswith(folder) and not origin.startswith(not_theirs):
            found[Path(origin).relative_to(folder).as_posix()] = file_digest(Path(origin))
    return dict(sorted(found.items()))


@functools.cache
def _known_modules(_folder: str) -> tuple[dict[str, ModuleType], dict[str, str]]:
    """The modules that were looked at already, of thousands, and what was found under the folder."""
    return {}, {}


def file_digest(path: Path) -> str:
    """SHA-256 of a source file, or an empty string where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@functools.cache
def _own_folder() -> Path:
    return Path(str(tools.__file__)).resolve().parent
