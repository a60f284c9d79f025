"""Tracebacks for a report: where the zoo's code failed, told the same way on every machine."""

from __future__ import annotations

import os
import re
import sys
import traceback
from pathlib import Path

import tools

_OWN = str(Path(str(tools.__file__)).parent) + os.sep
_FRAME = re.compile(r'^([ |]*File ")([^"\n]+)(", line \d+)', re.MULTILINE)


def traceback_text(error: BaseException) -> str:
    """The traceback as Python prints it, but for two things.

    It begins where this package has called the zoo, and files are named from the folder that they are imported from:
    ``animals/build.py``, ``torch/nn/modules/module.py``. So a report does not depend on where it was made.
    """
    told = traceback.TracebackException.from_exception(error)
    _begin_outside(told)
    folders = sorted({os.path.abspath(entry) + os.sep for entry in sys.path}, key=len, reverse=True)  # noqa: PTH100

    def named(match: re.Match[str]) -> str:
        path = match[2]
        folder = next((folder for folder in folders if path.startswith(folder)), "")
        return match[1] + path[len(folder) :].replace(os.sep, "/") + match[3]

    return _FRAME.sub(named, "".join(told.format()))


def _begin_outside(told: traceback.TracebackException) -> None:
    """Leave out the frames of this package before the first other one, here and in what the error came from."""
    chain: list[traceback.TracebackException | None] = [told]
    while chain:
        one = chain.pop()
        if one is not None:
            own = [frame.filename.startswith(_OWN) for frame in one.stack]
            if not all(own):
                del one.stack[: own.index(False)]
            chain += [one.__cause__, one.__context__]
