"""``--fix`` and ``--diff``: the edits of the findings, applied to files inside the project alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.modelindex.records import Edit, Index
from tools.rules.records import Finding


@dataclass(frozen=True, slots=True)
class Mended:
    """What the edits come to."""

    texts: Mapping[str, str]
    """Path -> new text of every file that changes."""
    findings: tuple[Finding, ...]
    """The findings that are mended by it."""


def mend(index: Index, findings: Iterable[Finding]) -> Mended:
    """Apply the fixes of all findings. Of two that touch the same characters the first is taken; the other waits."""
    from tools.modelindex.edit import apply_edits

    taken: list[Edit] = []
    mended: list[Finding] = []
    for finding in findings:
        edits = [edit for edit in finding.fix if edit not in taken]
        if not finding.fix or not all(_inside(index, edit.path) for edit in finding.fix):
            continue
        if any(_overlap(edit, other) for edit in edits for other in taken):
            continue
        taken += edits
        mended.append(finding)
    texts = apply_edits(index.files, taken) if taken else {}
    return Mended({path: text for path, text in texts.items() if text != index.files[path].text}, tuple(mended))


def _overlap(one: Edit, other: Edit) -> bool:
    return (
        one.path == other.path
        and one.start < max(other.end, other.start + 1)
        and other.start < max(one.end, one.start + 1)
    )


def _inside(index: Index, path: str) -> bool:
    """Whether a path of the index is a file under its root, symlinks followed."""
    return path in index.files and (index.root / path).resolve().is_relative_to(index.root.resolve())


def unified_diff(index: Index, mended: Mended) -> str:
    """The changes as one patch that ``git apply`` and ``patch -p1`` take."""
    parts: list[str] = []
    for path, text in sorted(mended.texts.items()):
        old, new = index.files[path].text, text
        parts += _diff(_lines(old), _lines(new), path)
    return "".join(parts)


def _lines(text: str) -> Sequence[str]:
    """Lines with their ends; only line feeds end a line, as ``git`` and ``patch`` see it."""
    pieces = text.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _diff(old: Sequence[str], new: Sequence[str], path: str) -> Iterable[str]:
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def write(index: Index, mended: Mended) -> list[str]:
    """Write the new texts, each file whole or not at all; what could not be written, in words.

    A file that somebody changed since it was read is left as it is.
    """
    from tools.modelindex.edit import encode, write_atomic

    troubles = []
    for path, text in sorted(mended.texts.items()):
        target = (index.root / path).resolve()
        try:
            if target.read_bytes() != encode(index.files[path], index.files[path].text):
                troubles.append(f"{path} was changed while the audit ran; not mended")
            else:
                write_atomic(target, encode(index.files[path], text))
        except OSError as error:
            troubles.append(f"{path} could not be written: {error.strerror or error}")
    return troubles
