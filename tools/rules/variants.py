"""What a model's name says of its size: ``resnet50`` and ``resnet101`` are variants, ``tv_resnet50`` is no variant.

Two names tell of different sizes where they are equal apart from depths, widths and size words. Names that differ
otherwise (another prefix, another data set, another training recipe) say nothing: zoos rightly give one architecture
several names, one for each set of weights.
"""

from __future__ import annotations

import re

from tools.rules.diagnosis import COMMON_SIDES

_WORDS = frozenset(
    {"atto", "femto", "pico", "nano", "micro", "mini", "tiny", "small", "medium", "base", "large", "huge", "giant"}
    | {"xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"}
)
_NO_SIZE = frozenset({"v", "in", "ep", "e", "seed", "run", "fold", "a", "r", "ra", "c", "k"})
"""Letters before a number that tell of a version, data set, epoch or recipe."""
_RESOLUTIONS = frozenset(side for side in COMMON_SIDES if side >= 128)
_TOKEN = re.compile(r"[a-z]+|[0-9]+|[^a-z0-9]+")


def variant(name: str) -> tuple[str, tuple[str, ...]]:
    """A name as its skeleton and its sizes: ``mixnet_xl`` -> (``mixnet_#``, (``xl``,))."""
    tokens = _TOKEN.findall(name.casefold()[:200])
    skeleton: list[str] = []
    sizes: list[str] = []
    for position, token in enumerate(tokens):
        before = tokens[position - 1] if position else ""
        after = tokens[position + 1] if position + 1 < len(tokens) else ""
        word = token in _WORDS and not before.isdigit() and not after.isdigit()
        number = (
            token.isdigit()
            and _letters_before(tokens, position) not in _NO_SIZE
            and after not in {"k", "e", "ep", "epochs"}
            and int(token) not in _RESOLUTIONS
        )
        if word or number:
            skeleton.append("#")
            sizes.append(token)
        else:
            skeleton.append(token)
    return "".join(skeleton), tuple(sizes)


def _letters_before(tokens: list[str], position: int) -> str:
    """The token before a number, past one separator: ``seed`` of ``seed1`` and of ``seed_1``."""
    before = tokens[position - 1] if position else ""
    if before and not before.isalnum() and position > 1:
        return tokens[position - 2]
    return before


def differ_in_size(first: str, second: str) -> bool:
    """Whether two names are those of two sizes of one family."""
    (skeleton, sizes), (other_skeleton, other_sizes) = variant(first), variant(second)
    return skeleton == other_skeleton and sizes != other_sizes
