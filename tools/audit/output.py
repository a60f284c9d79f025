"""Where reports go: standard output and files, several formats at once, each file whole or not at all."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.audit.nearest import hint
from tools.audit.settings import SettingsError

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Destination:
    """One report to write: its format and a file, or ``-``."""

    format: str
    file: str


def check_format(name: str) -> str:
    """``name``, where there is such a format.

    Raises:
        SettingsError: there is none; names the nearest.
    """
    from tools.report import FORMATS

    if name not in FORMATS:
        raise SettingsError(f"unknown format {name!r}{hint(name, FORMATS)} (formats: {', '.join(FORMATS)})")
    return name


def destinations(format_name: str, outputs: Iterable[str]) -> tuple[Destination, ...]:
    """What ``--format`` and ``--output`` ask for together.

    ``FORMAT=FILE`` adds a report; a plain ``FILE`` takes the ``--format`` report off standard output.

    Raises:
        SettingsError: an unknown format, or two reports for one file.
    """
    check_format(format_name)
    main: str | None = None
    added: list[Destination] = []
    for output in outputs:
        named = re.match(r"(?P<format>[A-Za-z0-9_-]+)=(?P<file>.+)", output)
        if named:
            added.append(Destination(check_format(named["format"]), named["file"]))
        elif main is not None:
            raise SettingsError(f"--output: two files without a format, {main} and {output}; write FORMAT=FILE")
        elif not output:
            raise SettingsError("--output: expected a file")
        else:
            main = output
    if main is None and any(destination.file == STDOUT for destination in added):
        return _distinct(added)
    return _distinct([Destination(format_name, main or STDOUT), *added])


def _distinct(all_of_them: list[Destination]) -> tuple[Destination, ...]:
    files = [destination.file for destination in all_of_them]
    twice = next((file for file in files if files.count(file) > 1), None)
    if twice is not None:
        raise SettingsError(f"--output: two reports for {'standard output' if twice == STDOUT else twice}")
    return tuple(all_of_them)


def deliver(text: str, file: str) -> None:
    """Write one report; to a pipe or device as to a stream, for there is no file to put in its place.

    Raises:
        SettingsError: the file, or standard output, cannot be written.
        BrokenPipeError: whoever read standard output went away.
    """
    if file == STDOUT:
        try:
            _print(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SettingsError(f"cannot write to standard output: {error.strerror or error}") from None
        return
    from tools.modelindex.edit import write_atomic

    path = Path(file)
    data = text.encode("utf-8", "backslashreplace")
    try:
        if _is_stream(path):
            with path.open("ab") as stream:
                stream.write(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    except OSError as error:
        raise SettingsError(f"--output: cannot write {file}: {error.strerror or error}") from None


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe or an open file of this process (``/dev/stdout``, ``>(command)``)."""
    return path.exists() and (str(path).startswith(_OPEN_FILES) or not (path.is_file() or path.is_dir()))


_OPEN_FILES = ("/dev/std", "/dev/fd/", "/proc/self/fd/")


def is_terminal() -> bool:
    """Whether standard output is a terminal; a closed one is none."""
    return sys.stdout is not None and sys.stdout.isatty()


def _print(text: str) -> None:
    """To standard output, whatever its encoding: a character that it lacks is shown as an escape."""
    if sys.stdout is None:  # Python has none where it was started with standard output closed
        raise OSError(errno.EBADF, "it is closed")
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
