"""What a model index says: typed records in which every value knows its file, line and column.

The loader (:mod:`tools.modelindex.load`) makes them; rules and the site read them and never parse a
file again. Wrong input is data too: a :class:`Problem` that stands beside the healthy rest.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias


class Place(NamedTuple):
    """Where a value stands: the file relative to the root (``/`` separated), 1-based line and column."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Scalar(Protocol):
    """One YAML or JSON scalar as it was written."""

    @property
    def text(self) -> str:
        """The value without quotes, escapes resolved; never converted (``12:30`` stays ``12:30``)."""

    @property
    def quoted(self) -> bool:
        """Whether the scalar was written in quotes or as a block."""

    @property
    def place(self) -> Place:
        """File, line and column of its first character (the quote, where quoted)."""

    @property
    def start(self) -> int:
        """Offset of its first character (the quote, where quoted) in the file's decoded text."""

    @property
    def end(self) -> int:
        """Offset behind its last character in the file's decoded text."""


class Sequence(Protocol):
    """A list of values."""

    @property
    def items(self) -> tuple[Value, ...]:
        """The values in order."""

    @property
    def place(self) -> Place:
        """Where the list begins."""


class Mapping(Protocol):
    """A mapping; its keys are matched without regard to case, with ``_`` for a space."""

    @property
    def entries(self) -> MappingABC[str, Entry]:
        """The entries by their canonical key, see :func:`canonical`."""

    @property
    def place(self) -> Place:
        """Where the mapping begins."""


Value: TypeAlias = Scalar | Sequence | Mapping


class Entry(NamedTuple):
    """One key and its value."""

    key: Scalar
    value: Value
    inherited_from: str | None = None
    """The collection that gave the value to a model; ``None`` where the model says it itself."""


def canonical(key: str) -> str:
    """The form under which a key is looked up: lower case, ``_`` as a space, spaces folded."""
    return " ".join(key.replace("_", " ").casefold().split())


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper that a model or collection cites: a URL, a bare arXiv id, or a title with a URL."""

    title: Scalar | None
    url: Scalar | None
    arxiv_id: str | None
    """``1907.09595`` where the URL or bare id is arXiv's, without version."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One evaluated figure. ``value`` is whatever stands there; the rules judge it."""

    name: Scalar
    value: Value


@dataclass(frozen=True, slots=True)
class Result:
    """One evaluation: a task on a data set, with its metrics."""

    task: Scalar | None
    dataset: Scalar | None
    metrics: tuple[Metric, ...]
    place: Place
    inherited_from: str | None = None
    fields: MappingABC[str, Entry] = field(default_factory=dict)
    """Everything that stands there by canonical key, as it was written."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A named family of models that share metadata."""

    name: Scalar
    fields: MappingABC[str, Entry]
    metadata: MappingABC[str, Entry]
    paper: Paper | None
    place: Place
    results: tuple[Result, ...] = ()
    """What its models inherit besides metadata."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model with everything its own entry and its collections say of it."""

    name: Scalar
    file: str
    """The file in which its entry stands, relative to the root."""
    page: str | None
    """The Markdown page that is its card, relative to the root."""
    fields: MappingABC[str, Entry]
    """Every top-level field by canonical key, custom ones included."""
    metadata: MappingABC[str, Entry]
    """Metadata by canonical key (``file size``), its own and its collections'."""
    results: tuple[Result, ...]
    paper: Paper | None
    code: Scalar | None
    weights: Scalar | None
    config: Scalar | None
    collections: tuple[Scalar, ...]

    @property
    def place(self) -> Place:
        """Where the model's name stands."""
        return self.name.place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the index itself. ``kind`` is one of :data:`PROBLEM_KINDS`."""

    kind: str
    place: Place
    message: str
    hint: str = ""
    """The way out, as a sentence; may be empty."""
    model: str | None = None


PROBLEM_KINDS = {
    "unreadable": "the file cannot be read, decoded or parsed, or breaks a limit",
    "missing-name": "a model or collection without a Name",
    "duplicate-model": "two models share one name",
    "unknown-collection": "In Collection names a collection that does not exist",
    "wrong-type": "a value of the wrong kind: a list where a mapping belongs, a number that is none",
    "missing-import": "an import, README or other path that does not exist",
    "empty-glob": "a glob that matches no file",
    "import-cycle": "files that import each other",
    "outside-root": "a path that leaves the repository by `..`, an absolute path or a symlink",
    "duplicate-key": "a key that stands twice in one mapping",
    "misspelt-field": "an unknown field that is nearly a known one",
    "ignore-without-reason": "an `audit: ignore[...]` comment that gives no reason",
}
"""Every kind of problem the loader reports, with its meaning. The IDX rules map each to a code."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """An ``# audit: ignore[FLP001] reason`` comment: it covers findings on its own line."""

    codes: tuple[str, ...]
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters ``start:end`` of a file's decoded text, where they still read ``old``."""

    path: str
    start: int
    end: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class TextFile:
    """One file that was read, decoded; ``newline`` is kept as it was so that offsets fit the bytes."""

    path: str
    text: str
    kind: str
    """``card`` (Markdown), ``yaml`` or ``json``."""
    bom: bool = False
    """The file began with a UTF-8 byte order mark, which ``text`` leaves out."""


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that was read, under one root folder."""

    root: Path
    models: tuple[Model, ...]
    collections: tuple[Collection, ...]
    library: MappingABC[str, Entry]
    files: MappingABC[str, TextFile]
    problems: tuple[Problem, ...] = ()
    ignores: tuple[Ignore, ...] = field(default=())
