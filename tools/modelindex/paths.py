"""Paths that an index names: resolved against the file that names them, and kept inside the repository."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path

MAX_VISITED = 200_000
"""Folder entries that one glob may look at."""

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
        self.root = os.path.abspath(root)
        self._real = os.path.realpath(root)

    def shown(self, path: str) -> str:
        """An absolute path relative to the root, with ``/``; a path outside the root stays as it is."""
        for root in (self.root, self._real):
            prefix = root if root.endswith(os.sep) else root + os.sep
            if path.startswith(prefix):
                return path[len(prefix) :].replace(os.sep, "/")
        return path.replace(os.sep, "/")

    def real(self, path: str) -> str:
        """The path without symlinks.

        Raises:
            PathError: it lies outside the root.
        """
        real = os.path.realpath(path)
        if real != self._real and not real.startswith(self._real.rstrip(os.sep) + os.sep):
            lexically = os.path.abspath(path)
            inside = any(lexically.startswith(root.rstrip(os.sep) + os.sep) for root in (self.root, self._real))
            how = "by a symlink" if inside else "by .. or an absolute path"
            raise PathError(
                "outside-root",
                f"the path leaves the repository {how}; nothing outside is read",
                "Move the file into the repository, or set the audit's root to a folder that holds both.",
            )
        return real

    def resolve(self, text: str, folder: str) -> str:
        """The absolute path of the existing file or folder that ``text`` names, seen from ``folder``.

        Raises:
            PathError: it does not exist, or lies outside the root.
        """
        if "\0" in text or len(text) > 4096:
            raise PathError("missing-import", "this is no path")
        path = os.path.normpath(os.path.join(folder, text))
        self.real(path)
        if not os.path.exists(path):
            raise PathError("missing-import", f"there is no file {text!r} here", self._nearest(path, text))
        return path

    def expand(self, pattern: str, folder: str) -> list[str]:
        """The files that a glob matches, sorted. ``**`` stands for any number of folders, hidden ones left out.

        A matching symlink may still lead outside: :meth:`real` tells.

        Raises:
            PathError: the pattern begins outside the root, matches nothing, or matches too much.
        """
        if "\0" in pattern or len(pattern) > 4096:
            raise PathError("empty-glob", "this is no path")
        parts = [part for part in pattern.replace(os.sep, "/").split("/") if part not in ("", ".")]
        base = os.sep if os.path.isabs(pattern) else folder
        while parts and not _WILD_PART.search(parts[0]):
            base = os.path.normpath(os.path.join(base, parts.pop(0)))
        self.real(base)
        if ".." in parts:
            raise PathError("outside-root", "a glob may begin with .. but not go up again behind a wildcard")
        found = sorted({path for path in self._matches(base, tuple(parts)) if os.path.isfile(path)})
        if not found:
            raise PathError("empty-glob", f"no file matches {pattern!r}")
        return found

    def _matches(self, base: str, parts: tuple[str, ...]) -> Iterator[str]:
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

    def _nearest(self, path: str, text: str) -> str:
        """A hint with the file of nearly this name in the same folder, if there is one."""
        import difflib

        try:
            names = os.listdir(os.path.dirname(path))[:10_000]
        except OSError:
            return ""
        near = difflib.get_close_matches(os.path.basename(path), names, n=1, cutoff=0.75)
        return f"Did you mean {os.path.join(os.path.dirname(text), near[0])!r}?" if near else ""
