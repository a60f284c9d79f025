"""From the named files through their imports to drafts of models and collections."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingABC
from pathlib import Path, PurePosixPath

from tools.modelindex.drafts import Draft, check_names, names, result
from tools.modelindex.fields import LIBRARY, MODEL
from tools.modelindex.imports import Imports
from tools.modelindex.nodes import (
    MergedMapping,
    MergedSequence,
    Written,
    YamlMapping,
    entries_of,
    is_null,
    kind_of,
    mapping,
    scalar,
    sequence,
    shown,
)
from tools.modelindex.parts import Parts
from tools.modelindex.paths import is_glob
from tools.modelindex.records import Entry, Place, Scalar, Value, canonical
from tools.modelindex.store import Document, Store, path_like

_INDEX_KEYS = frozenset({"models", "collections", "library", "import"})
_ONLY_LIBRARY = frozenset(canonical(name) for name in LIBRARY) - frozenset(canonical(name) for name in MODEL)
_ONLY_MODEL = frozenset(canonical(name) for name in MODEL) - frozenset(canonical(name) for name in LIBRARY)
_EVERYTHING = frozenset({"models", "collections", "library"})


class Walk:
    """Follows an index through its files; what it finds is in ``models``, ``collections`` and ``library``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.models: list[Draft] = []
        self.collections: list[Draft] = []
        self._imports = Imports(store)
        self._report = self._imports.report
        self._parts = Parts(self._imports)
        self._taken: dict[str, frozenset[str]] = {}
        self._in_header = False
        """Whether a page's front matter is being taken, in whose dialect a model's Name is optional."""

    def start(self, path: Path, declared: bool = True) -> None:
        """Take everything that the file at the absolute ``path`` holds."""
        self._file(path, _EVERYTHING, "", None, declared)

    @property
    def library(self) -> dict[str, Entry]:
        """What is said of the library."""
        return self._parts.library

    # Files

    def _file(self, path: Path, parts: frozenset[str], role: str, named: Scalar | None, declared: bool = True) -> None:
        """Take ``parts`` of a file that is an index, or the one thing it holds in its ``role``; each once."""
        with self._imports.opened(path, named, declared) as document:
            if document is None:
                return
            parts -= self._taken.get(document.real, frozenset())
            self._taken[document.real] = self._taken.get(document.real, frozenset()) | parts
            if not parts:
                return
            if document.is_empty and document.healthy and declared and not (named and is_glob(named.text)):
                what = "page holds no model index" if document.page else "file is empty"
                place = named.place if named else Place(document.source.path, 1, 1)
                self._report("wrong-type", place, f"the {what}")
            if document.header is not None:
                self._in_header = True
                self._root(document.header, document, parts, role)
                self._in_header = False
            for root in _joined(document.roots):
                self._root(root, document, parts, role)

    def _files(self, text: Scalar, document: Document, parts: frozenset[str], role: str) -> None:
        for path in self._imports.paths(text, document):
            self._file(path, parts, role, text)

    # What a file holds

    def _root(self, root: Value, document: Document, parts: frozenset[str], role: str) -> None:
        items = sequence(root)
        if items is not None:
            for item in items.items:
                self._entry(item, document, role or "models", f"one of the {role or 'models'}")
            return
        entries = entries_of(root)
        if entries is None:
            if not is_null(root):
                self._report("wrong-type", root.place, f"the file holds {kind_of(root)} instead of a mapping or a list")
            return
        if not _INDEX_KEYS.isdisjoint(entries):
            self._index(entries, document, parts)
        else:
            self._single(root, entries, document, role)

    def _single(self, root: Value, entries: MappingABC[str, Entry], document: Document, role: str) -> None:
        """A file, or an entry of a list, that is one model, collection, library, metadata or result."""
        for key in ("model", "collection"):
            inner = entries_of(entries[key].value) if key in entries else None
            if inner is not None:
                self._draft(entries[key].value, inner, document, key + "s")
                return
        if role:
            self._draft(root, entries, document, role)
        elif _ONLY_LIBRARY & entries.keys() and not _ONLY_MODEL & entries.keys():
            self._parts.take_library(entries, document)
        elif "name" in entries or "results" in entries:
            self._draft(root, entries, document, "models")
        elif len({"task", "dataset", "metrics"} & entries.keys()) >= 2:
            result(root, entries, self.store.report)
            self._belongs(root, "a result", "Results")
        else:
            self._parts.metadata(root, document)
            self._belongs(root, "metadata", "Metadata")

    def _belongs(self, root: Value, what: str, field: str) -> None:
        """A part of a model is a fine thing to be given by itself, but an index cannot import it as a model."""
        if self._imports.depth > 1:
            self._report(
                "wrong-type",
                root.place,
                f"the imported file holds {what}, which belongs to a model",
                f"Name the file under the model's {field}.",
            )

    def _index(self, entries: MappingABC[str, Entry], document: Document, parts: frozenset[str]) -> None:
        check_names(entries, "index", self.store.report)
        for key, entry in entries.items():
            if is_null(entry.value):
                continue
            if key in ("models", "collections"):
                if key in parts:
                    self._list(entry, document, key)
            elif key == "library" and "library" in parts:
                self._parts.read_library(entry, document)
            elif key == "import":
                for path in names(entry, self.store.report):
                    self._files(path, document, parts, "")

    def _list(self, entry: Entry, document: Document, role: str) -> None:
        """``Models`` or ``Collections``: entries inline, paths, globs, or a list of any of them."""
        value = entry.value
        items = sequence(value)
        if items is not None:
            for item in items.items:
                self._entry(item, document, role, f"one of the {entry.key.text}")
        elif mapping(value) is not None or scalar(value) is not None:
            self._entry(value, document, role, entry.key.text)

    def _entry(self, value: Value, document: Document, role: str, what: str) -> None:
        text = scalar(value)
        entries = entries_of(value)
        if entries is not None:
            if role in entries:  # Models: wrapped in Models: once more
                self._list(entries[role], document, role)
            else:
                self._single(value, entries, document, role)
        elif text is not None and path_like(text):
            parts = frozenset({role}) if role == "collections" else frozenset({"models", "collections"})
            self._files(text, document, parts, role)
        else:
            self._report("wrong-type", value.place, f"{what} must be a mapping or a path, not {shown(value)}")

    # Models and collections

    def _draft(self, value: Value, entries: MappingABC[str, Entry], document: Document, role: str) -> None:
        report = self.store.report
        check_names(entries, "collection" if role == "collections" else "model", report)
        given = entries.get("name")
        name = scalar(given.value) if given else None
        if name is None or not name.text.strip():
            kind = role.removesuffix("s")
            if given is not None and not is_null(given.value) and name is None:
                self._report(
                    "wrong-type", given.value.place, f"the Name of a {kind} must be a text, not {kind_of(given.value)}"
                )
            elif self._in_header and role == "models":
                name = Written(PurePosixPath(document.source.path).stem, value.place)
            else:
                self._report("missing-name", value.place, f"a {kind} without a Name")
            if name is None or not name.text.strip():
                return
        page = document.page
        for key in ("readme", "image", "config"):
            if key in entries:
                page = self._parts.local(key, entries[key], document) or page
        metadata = entries.get("metadata")
        results = entries.get("results")
        draft = Draft(
            name,
            document.source.path,
            document.page or page,
            entries,
            {} if metadata is None else self._parts.metadata(metadata.value, document, metadata.key.text),
            () if results is None else tuple(self._parts.results(results.value, document)),
            names(entries.get("in collection"), report) if "in collection" in entries else (),
            value.place,
        )
        (self.collections if role == "collections" else self.models).append(draft)


def _joined(roots: tuple[Value, ...]) -> Iterator[Value]:
    """The roots of one file; those that together describe one model, name here and results there, made one.

    A second comment without a Name adds to the first one with a Name; lists under the same key append.
    """
    loose: list[Value] = []
    for root in roots:
        entries = root.entries if isinstance(root, YamlMapping) else None
        if entries is None or not _INDEX_KEYS.isdisjoint(entries):
            yield root
        elif "name" in entries and any(
            "name" in mapping_.entries for mapping_ in loose if isinstance(mapping_, YamlMapping)
        ):
            yield _merged(loose)
            loose = [root]
        else:
            loose.append(root)
    if loose:
        yield _merged(loose)


def _merged(roots: list[Value]) -> Value:
    if len(roots) == 1:
        return roots[0]
    said: dict[str, list[Entry]] = {}
    for root in roots:
        for key, entry in (entries_of(root) or {}).items():
            said.setdefault(key, []).append(entry)
    entries: dict[str, Entry] = {}
    for key, several in said.items():
        first = several[0]
        if len(several) > 1 and key != "type":
            lists = ((entry.value, sequence(entry.value)) for entry in several)
            items = tuple(item for value, found in lists for item in ((value,) if found is None else found.items))
            first = first._replace(value=MergedSequence(items, items, first.value.place))
        entries[key] = first
    return MergedMapping(entries, entries, roots[0].place)
