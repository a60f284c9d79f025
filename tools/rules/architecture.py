"""Which Architecture tags the modules of a built model can prove, and by which evidence."""

from __future__ import annotations

from collections.abc import Mapping

from tools.modelindex.records import canonical


def _table(rows: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    return {canonical(tag): frozenset(canonical(kind) for kind in kinds) for tag, kinds in rows.items()}


EVIDENCE = _table({})
"""Tag -> the kinds of modules of which one must be present. Filled below from the kinds that are measured."""


def judge_tag(tag: str, kinds: Mapping[str, int]) -> tuple[bool, int] | None:
    """Whether a tag's modules are present, and how many; ``None`` where modules cannot tell."""
    wanted = EVIDENCE.get(canonical(tag))
    if wanted is None:
        return None
    found = sum(number for kind, number in kinds.items() if canonical(kind) in wanted)
    return found > 0, found
