"""The files of one index: each read once, taken apart into the values that may hold metadata."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools.modelindex import markdown
from tools.modelindex.compose import compose
from tools.modelindex.ignores import find_ignores
from tools.modelindex.nodes import Report, YamlMapping, mapping, read_below, scalar, sequence, wrap
from tools.modelindex.paths import Repository, is_glob
from tools.modelindex.records import Ignore, Place, Problem, Scalar, TextFile, Value
from tools.modelindex.text import SUFFIXES, Source, read, suffix

_TYPE = re.compile(
    r"""(?:^|\r)[ \t]*["']?type["']?[ \t]*:[ \t]*["']?model[-_ ]?index\b""", re.IGNORECASE | re.MULTILINE
)
# What a comment without a Type must at least look like before its YAML is tried.
_KEYS = re.compile(
    r"""(?:^|\r)[ \t]*["']?(?:models?|collections?|library|import|name|metadata|results)["']?[ \t]*:""",
    re.IGNORECASE | re.MULTILINE,
)
# Prose that happens to begin with "Models:" is left alone; a list below the key is meant as an index.
_LIST = re.compile(
    r"(?:^|\r)[ \t]*(?:models|collections)[ \t]*:[ \t]*(?:[&!]\S+[ \t]*)*[\r\n]+[ \t]*-[ \t]",
    re.IGNORECASE | re.MULTILINE,
)
_FRONT_MATTER_KEY = re.compile(r"""(?:^|\r)["']?model[-_ ]index["']?[ \t]*:""", re.IGNORECASE | re.MULTILINE)
_MODEL_FIELDS = frozenset({"metadata", "results", "paper", "code", "weights", "config", "in collection"})
_BLANK = re.compile(r"[ \t]*")


MAX_WORK = 10_000_000
"""Entries that imports and collections may copy in all: a few small files can multiply to millions."""


MAX_PROBLEMS = 10_000
"""Problems of one kind in one file. Who has more has one, made ten thousand times."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file that was read, with its values that may hold metadata."""

    source: Source
    real: str
    """The path without symlinks: the file's identity."""
    folder: Path
    """The absolute path of the folder that its paths are relative to."""
    roots: tuple[Value, ...]
    header: Value | None = None
    """What a page's front matter has under ``model-index``: Hugging Face's dialect."""
    healthy: bool = True
    """Nothing in it had to be left out."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it holds metadata."""
        return not self.roots and self.header is None

    @property
    def page(self) -> str | None:
        """Its path relative to the root if it is a Markdown page."""
        return self.source.path if self.source.file.kind == "card" else None


class Store:
    """Reads files of a repository once each, and collects what is wrong with them."""

    def __init__(self, root: Path) -> None:
        self.repository = Repository(root)
        self.files: dict[str, TextFile] = {}
        self.problems: list[Problem] = []
        self.ignores: list[Ignore] = []
        self._known: set[Problem] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._documents: dict[tuple[str, bool], Document | None] = {}
        self._pages: set[str] = set()
        self._work = 0

    def report(self, problem: Problem) -> None:
        """Keep a problem; the same one twice (a file that is read for two reasons) counts once."""
        if problem in self._known:
            return
        kind = (problem.place.path, problem.kind)
        self._counts[kind] += 1
        if self._counts[kind] > MAX_PROBLEMS:
            if self._counts[kind] > MAX_PROBLEMS + 1:
                return
            message = f"the file has more than {MAX_PROBLEMS} problems of this kind; the rest is left out"
            problem = Problem(problem.kind, problem.place, message)
        self._known.add(problem)
        self.problems.append(problem)

    def spend(self, work: int, place: Place) -> bool:
        """Count work that grows faster than the files; ``False``, and reported once, when it is too much."""
        allowed = self._work <= MAX_WORK
        self._work += work
        if allowed and self._work > MAX_WORK:
            message = "imports and collections multiply here beyond all reason; the rest of them is left out"
            self.report(Problem("unreadable", place, message))
        return self._work <= MAX_WORK

    def document(self, path: Path, real: str, declared: bool = True) -> Document | None:
        """The file at the absolute ``path``; ``None`` where it cannot be read.

        ``declared``: something named this very file as (part of) an index, so that a comment in it
        counts without ``Type: model-index``.
        """
        key = (real, declared)
        if key not in self._documents:
            self._documents[key] = self._load(path, real, declared)
        return self._documents[key]

    def page(self, path: Path, real: str) -> str | None:
        """Read a page for its text alone (a README); its path relative to the root, or ``None``."""
        shown = self.repository.shown(path)
        if shown in self.files or real in self._pages:
            return shown
        self._pages.add(real)
        source = read(path, shown)
        if isinstance(source, Problem):
            self.report(source)
            return None
        self.files[shown] = source.file
        return shown

    def _load(self, path: Path, real: str, declared: bool) -> Document | None:
        shown = self.repository.shown(path)
        before = len(self.problems)
        if suffix(shown) not in SUFFIXES:
            known = ", ".join(SUFFIXES)
            message = f"a file of this kind holds no model index; its name must end in one of {known}"
            self.report(Problem("unreadable", _first(shown), message))
            return None
        source = read(path, shown)
        if isinstance(source, Problem):
            self.report(source)
            return None
        self.files[shown] = source.file
        header = None
        roots: list[Value] = []
        if source.file.kind == "card":
            page = markdown.split(source.text)
            header = self._header(source, page)
            for comment in page.comments:
                root = self._comment(source, comment, declared)
                if root is not None:
                    roots.append(root)
        else:
            root = self._compose(source, 0, len(source.text))
            if root is not None:
                roots.append(root)
        return Document(source, real, path.parent, tuple(roots), header, len(self.problems) == before)

    def _header(self, source: Source, page: markdown.Page) -> Value | None:
        if page.front_matter is None or not _FRONT_MATTER_KEY.search(source.text[slice(*page.front_matter)]):
            return None
        header = mapping(self._compose(source, *page.front_matter))
        if header is None:
            return None
        entry = header.entries.get("model-index") or header.entries.get("model index")
        return None if entry is None else entry.value

    def _comment(self, source: Source, comment: markdown.Comment, declared: bool) -> Value | None:
        start, pad = _body(source.text, comment)
        body = source.text[start : comment.end]
        typed = _TYPE.search(body) is not None
        if not comment.closed:
            if typed or (declared and _LIST.search(body)):
                message = "the comment with the model index is never closed"
                self.report(Problem("unreadable", source.place(comment.opening), message, "End it with -->."))
            return None
        if typed:
            return self._compose(source, start, comment.end, pad)
        if not declared or not _KEYS.search(body):
            return None
        problems: list[Problem] = []
        ignores: list[Ignore] = []
        root = _compose(source, start, comment.end, pad, problems.append, ignores)
        if not _is_metadata(root) and (root is not None or not _LIST.search(body)):
            return None  # prose
        for problem in problems:
            self.report(problem)
        self.ignores.extend(ignores)
        return root

    def _compose(self, source: Source, start: int, end: int, pad: int = 0) -> Value | None:
        return _compose(source, start, end, pad, self.report, self.ignores)


def _compose(source: Source, start: int, end: int, pad: int, report: Report, ignores: list[Ignore]) -> Value | None:
    """Compose a stretch of YAML and read every mapping in it, so that its keys are checked."""
    composed = compose(source, start, end, report, pad)
    if composed is None:
        return None
    block, node = composed
    ignores.extend(find_ignores(block, node, start, end, report))
    root = wrap(block, node)
    read_below(root, node, report)
    return root


def path_like(value: Scalar) -> bool:
    """Whether a text can be meant as a path to metadata: a glob, or a known file name ending."""
    text = value.text
    return "\n" not in text and (is_glob(text) or suffix(text) in SUFFIXES)


def _body(text: str, comment: markdown.Comment) -> tuple[int, int]:
    """Where the YAML of a comment begins, and how many spaces its first line lacks.

    In ``<!-- Type: model-index`` the first key stands elsewhere than the keys of the next lines, which
    may be indented or not: it is taken to stand above the next line's, unless that is its value.
    """
    blank = _BLANK.match(text, comment.start, comment.end)
    assert blank is not None
    if blank.end() >= comment.end or text[blank.end()] in "\r\n":
        return comment.start, 0
    first, *rest = text[blank.end() : comment.end].splitlines()
    if first.rstrip().endswith(":"):
        return blank.end(), 0
    return blank.end(), next((len(line) - len(line.lstrip(" ")) for line in rest if line.strip()), 0)


def _is_metadata(root: Value | None) -> bool:
    """Whether a comment without a Type is a model index rather than prose with a colon in it."""
    if not isinstance(root, YamlMapping):
        return False
    entries = root.entries
    if "type" in entries:
        return False
    for key in ("models", "model", "collections", "collection", "library", "import", "metadata", "results"):
        if key in entries:
            value = entries[key].value
            text = scalar(value)
            if (text is not None and path_like(text)) or isinstance(value, YamlMapping) or _has_items(value):
                return True
    return "name" in entries and not _MODEL_FIELDS.isdisjoint(entries)


def _has_items(value: Value) -> bool:
    items = sequence(value)
    return items is not None and bool(items.items)


def _first(shown: str) -> Place:
    return Place(shown, 1, 1)
