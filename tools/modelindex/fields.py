"""The fields that the format knows, by what they belong to, and which unknown field is a slip of one of them."""

from __future__ import annotations

import re
from functools import lru_cache

from tools.modelindex.records import canonical

INDEX = ("Models", "Collections", "Library", "Import", "Type")
MODEL = (
    "Name", "Metadata", "Results", "Paper", "Code", "Weights", "Config", "README", "Image", "In Collection", "Type",
)  # fmt: skip
METADATA = (
    "FLOPs", "FLOPs Counter", "FLOPs Input Size", "Parameters", "File Size", "SHA256", "Epochs", "Batch Size",
    "Training Data", "Training Techniques", "Training Resources", "Training Time", "Architecture", "Tasks", "ID",
    "Image Size", "Crop Pct", "Interpolation", "Mean", "Std",
)  # fmt: skip
RESULT = ("Task", "Dataset", "Metrics")
LIBRARY = ("Name", "Headline", "Website", "Repository", "Docs", "README", "Image", "Type")

LEVELS = {
    "index": INDEX,
    "model": MODEL,
    "collection": MODEL,
    "metadata": METADATA,
    "result": RESULT,
    "library": LIBRARY,
}
"""What a mapping is -> the names of its fields in their standard form."""

# Words that a card may well use and that are a letter or two away from a field of the format.
_NOT_SLIPS = frozenset({"patch size", "training date", "training type", "training term", "code url", "test time"})
_WORD = re.compile(r"[a-z0-9]+")


def standard_form(key: str, level: str = "metadata") -> str:
    """A field as the format writes it (``file_size`` -> ``File Size``); custom fields as they are."""
    return _standard_forms(level).get(canonical(key), key)


@lru_cache(maxsize=8)
def _standard_forms(level: str) -> dict[str, str]:
    return {canonical(name): name for name in LEVELS[level]}


@lru_cache(maxsize=4096)
def suggestion(key: str, level: str) -> str | None:
    """The field that the unknown ``key`` (canonical) was probably meant to be, or ``None``.

    Custom fields are allowed, so only a near certain slip is called one: the same letters run together
    (``FileSize``), or word by word the same first letter and one letter (two, in words of eight or more)
    added, lost, changed or swapped. ``Patch Size``, ``GFLOPs`` and ``Memory`` are words of their own.
    """
    known = _standard_forms(level)
    if key in known or key in _NOT_SLIPS:
        return None
    words = _WORD.findall(key)
    joined = "".join(words)
    for wanted, together, form in _known_words(level):
        if joined == together or (
            len(words) == len(wanted) and all(_near(a, b) for a, b in zip(words, wanted, strict=True))
        ):
            return form
    return None


@lru_cache(maxsize=8)
def _known_words(level: str) -> list[tuple[list[str], str, str]]:
    """The fields of a level as their words, their words run together, and their standard form."""
    split = [(_WORD.findall(name), form) for name, form in _standard_forms(level).items()]
    return [(words, "".join(words), form) for words, form in split]


def _near(word: str, known: str) -> bool:
    if word == known:
        return True
    longer = max(len(word), len(known))
    if abs(len(word) - len(known)) > 2 or min(len(word), len(known)) < 3 or longer < 4 or word[0] != known[0]:
        return False
    return distance(word, known) <= (2 if longer >= 8 else 1)


def distance(a: str, b: str) -> int:
    """Letters added, lost, changed or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, of_a in enumerate(a, 1):
        previous, row = row, [i]
        for j, of_b in enumerate(b, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (of_a != of_b))
            if i > 1 and j > 1 and of_a == b[j - 2] and a[i - 2] == of_b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]
