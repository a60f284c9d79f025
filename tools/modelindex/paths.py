"""Paths that an index names: resolved against the file that names them, and kept inside the repository."""

from __future__ import annotations

import difflib
import fnmatch
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

MAX_VISITED = 200_000
"""Folder entries that one glob may look at."""

MAX_COMPARED = 50_000
"""File names that are compared with missing ones, in all, to find what was meant."""

MAX_LENGTH = 4096
"""Characters in a path, as in Linux."""

_GLOB = re.compile(r"[*?]")
_WILD_PART = re.compile(r"[*?\[]")


class PathError(Exception):
    """A path that leads nowhere or outside. ``kind`` is the kind of problem."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


def is_glob(text: str) -> bool:
    """Whether a path is a pattern."""
    return _GLOB.search(text) is not None


class Repository:
    """The folder that nothing may leave."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.normpath(Path.cwd() / root))
        self._real = os.path.realpath(self.root)
        self._hints = MAX_COMPARED
        self._prefixes = tuple(each.rstrip(os.sep) + os.sep for each in dict.fromkeys((str(self.root), self._real)))

    def absolute(self, path: Path) -> Path:
        """A path as the caller of the program means it, from the current folder, without ``..``."""
        return Path(os.path.normpath(Path.cwd() / path))

    def shown(self, path: Path) -> str:
        """An absolute path relative to the root, with ``/``; a path outside the root stays as it is."""
        text = str(path)
        for prefix in self._prefixes:
            if text.startswith(prefix):
                return text[len(prefix) :].replace(os.sep, "/")
        return text.replace(os.sep, "/")

    def real(self, path: Path) -> str:
        """The path without symlinks.

        Raises:
            PathError: it lies outside the root.
        """
        real = os.path.realpath(path)
        if real != self._real and not real.startswith(self._prefixes[-1]):
            inside = os.path.normpath(path).startswith(self._prefixes)
            how = "by a symlink" if inside else "by .. or an absolute path"
            raise PathError(
                "outside-root",
                f"the path leaves the repository {how}; nothing outside is read",
                "Move the file into the repository, or set the audit's root to a folder that holds both.",
            )
        return real

    def resolve(self, text: str, folder: Path) -> Path:
        """The absolute path of the existing file or folder that ``text`` names, seen from ``folder``.

        Raises:
            PathError: it does not exist, or lies outside the root.
        """
        if "\0" in text or len(text) > MAX_LENGTH:
            raise PathError("missing-import", "this is no path")
        path = Path(os.path.normpath(folder / text))
        self.real(path)
        if not _exists(path):
            raise PathError("missing-import", f"there is no file {text!r}", self._nearest(path, text))
        return path

    def has(self, text: str) -> bool:
        """Whether a path, seen from the root, names something that exists inside it."""
        try:
            self.resolve(text, self.root)
        except PathError:
            return False
        return True

    def expand(self, pattern: str, folder: Path) -> list[Path]:
        """The files that a glob matches, sorted. ``**`` stands for any number of folders, hidden ones left out.

        A matching symlink may still lead outside: :meth:`real` tells.

        Raises:
            PathError: the pattern begins outside the root, matches nothing, or matches too much.
        """
        if "\0" in pattern or len(pattern) > MAX_LENGTH:
            raise PathError("empty-glob", "this is no path")
        parts = [part for part in pattern.replace(os.sep, "/").split("/") if part not in ("", ".")]
        base = Path(folder.anchor) if Path(pattern).is_absolute() else folder
        while parts and not _WILD_PART.search(parts[0]):
            base = Path(os.path.normpath(base / parts.pop(0)))
        self.real(base)
        if ".." in parts:
            raise PathError("outside-root", "a glob may begin with .. but not go up again behind a wildcard")
        found = sorted({path for path in map(Path, _matches(str(base), tuple(parts))) if path.is_file()})
        if not found:
            raise PathError("empty-glob", f"no file matches {pattern!r}")
        return found

    def _nearest(self, path: Path, text: str) -> str:
        """A hint with the file of nearly this name in the same folder, if there is one."""
        try:
            names = [each.name for each in itertools.islice(path.parent.iterdir(), self._hints)]
        except OSError:
            return ""
        self._hints -= len(names)
        near = difflib.get_close_matches(path.name[:255], names, n=1, cutoff=0.75)
        return f"Did you mean {str(Path(text).with_name(near[0]))!r}?" if near else ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a loop of symlinks
        return False


def _matches(base: str, parts: tuple[str, ...]) -> Iterator[str]:
    """The files and folders below ``base`` that match, some of them twice."""
    visited = 0
    done: set[tuple[str, int]] = set()
    todo = [(base, 0)]
    while todo:
        folder, at = todo.pop()
        if (folder, at) in done:
            continue
        done.add((folder, at))
        if at == len(parts):
            yield folder
            continue
        part = parts[at]
        if part == "**":
            todo.append((folder, at + 1))
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        visited += len(entries)
        if visited > MAX_VISITED:
            raise PathError("unreadable", f"the glob looks at more than {MAX_VISITED} files and folders")
        for entry in entries:
            if entry.name.startswith(".") and not part.startswith("."):
                continue
            if part == "**":
                # Not through symlinks: two that point at each other's parents would never end.
                if entry.is_dir(follow_symlinks=False):
                    todo.append((entry.path, at))
                elif at + 1 == len(parts):
                    yield entry.path
            elif fnmatch.fnmatchcase(entry.name, part):
                todo.append((entry.path, at + 1))
