"""Which Architecture tags the modules of a built model prove or refute."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tools.measure.kinds import TAGS
from tools.modelindex.records import canonical


@cache
def _wanted() -> Mapping[str, tuple[str, ...]]:
    """Tag as it is looked up -> the kinds of which one must be present."""
    return {_key(tag): kinds for tag, kinds in TAGS.items()}


def _key(tag: str) -> str:
    return canonical(tag.replace("-", " "))


def judge_tag(tag: str, kinds: Mapping[str, int]) -> tuple[bool, int] | None:
    """Whether a tag's parts are present, and how many; ``None`` where modules cannot tell."""
    wanted = _wanted().get(_key(tag))
    if wanted is None:
        return None
    found = sum(kinds.get(kind, 0) for kind in wanted)
    return found > 0, found
