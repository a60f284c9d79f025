"""The parts of a model that may stand in files of their own: metadata, results, the library, a README."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC

from tools.modelindex.drafts import check_metadata, check_names, names_file, result
from tools.modelindex.fields import MODEL
from tools.modelindex.imports import LOOKING, Imports
from tools.modelindex.nodes import entries_of, is_null, kind_of, scalar, sequence, shown
from tools.modelindex.paths import PathError
from tools.modelindex.records import Entry, Result, Value, canonical
from tools.modelindex.store import Document, path_like

_MODEL_KEYS = frozenset(canonical(name) for name in MODEL)


class Parts:
    """Reads parts, inline or imported, and reports what is wrong with them."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self._store = imports.store
        self._report = imports.report
        self.library: dict[str, Entry] = {}
        """What the index says of the library that its models come from; later files win."""

    def local(self, key: str, entry: Entry, document: Document) -> str | None:
        """Check that a file exists which a README, Image or Config names; the page, for a README that is one."""
        text = scalar(entry.value)
        if text is None:
            if not is_null(entry.value) and key != "config":
                self._report(
                    "wrong-type", entry.value.place, f"{entry.key.text} must be a text, not {kind_of(entry.value)}"
                )
            return None
        path = text.text
        if not names_file(key, path):
            return None
        repository = self._store.repository
        if not self._store.spend(LOOKING, text.place):
            return None
        if key == "config" and repository.has(path):
            return None  # OpenMMLab's zoos write it relative to the repository
        try:
            found = repository.resolve(path, document.folder)
            return self._store.page(found, repository.real(found)) if key == "readme" else None
        except PathError as error:
            self._report(error.kind, text.place, f"{entry.key.text}: {error.message}", error.hint)
            return None

    def metadata(self, value: Value, document: Document, what: str = "Metadata") -> MappingABC[str, Entry]:
        """Metadata given as a mapping, a path, or a list of both, of which the later ones win."""
        entries = self._merged(value, document, what)
        check_metadata(entries, self._store.report)
        return entries

    def _merged(self, value: Value, document: Document, what: str) -> MappingABC[str, Entry]:
        if is_null(value):
            return {}
        entries = entries_of(value)
        if entries is not None:
            if "metadata" in entries and entries.keys() <= _MODEL_KEYS:
                return self._merged(entries["metadata"].value, document, what)
            kind = scalar(entries["type"].value) if "type" in entries else None
            if kind is not None and canonical(kind.text) == "model-index":
                return {key: entry for key, entry in entries.items() if key != "type"}
            return entries
        items = sequence(value)
        merged: dict[str, Entry] = {}
        if items is not None:
            for item in items.items:
                if sequence(item) is not None:
                    self._report("wrong-type", item.place, f"{what}: a list within the list")
                    continue
                merged.update(self._merged(item, document, what))
            return merged
        text = scalar(value)
        if text is None or not path_like(text):
            self._report(
                "wrong-type", value.place, f"{what} must be a mapping, a path or a list of them, not {shown(value)}"
            )
            return merged
        for opened in self._imports.documents(text, document):
            for root in opened.roots:
                found = self._merged(root, opened, what)
                if self._store.spend(len(found), value.place):
                    merged.update(found)
        return merged

    def results(self, value: Value, document: Document) -> list[Result]:
        """Results given as a list, a single mapping, a path, a glob, or a list of them."""
        if is_null(value):
            return []
        entries = entries_of(value)
        if entries is not None:
            for key in ("results", "result"):
                if key in entries:
                    return self.results(entries[key].value, document)
            return [result(value, entries, self._store.report)] if self._store.spend(1, value.place) else []
        items = sequence(value)
        if items is not None:
            found: list[Result] = []
            for item in items.items:
                if sequence(item) is not None or is_null(item):
                    self._report("wrong-type", item.place, f"a result must be a mapping or a path, not {kind_of(item)}")
                    continue
                found.extend(self.results(item, document))
            return found
        text = scalar(value)
        if text is None or not path_like(text):
            self._report("wrong-type", value.place, f"Results must be a list, a mapping or a path, not {shown(value)}")
            return []
        return [
            each
            for opened in self._imports.documents(text, document)
            for root in opened.roots
            for each in self.results(root, opened)
        ]

    def read_library(self, entry: Entry, document: Document) -> None:
        """Take the library from a ``Library`` field: inline, or a path."""
        entries = entries_of(entry.value)
        text = scalar(entry.value)
        if entries is not None:
            self.take_library(entries, document)
        elif text is not None and path_like(text):
            for opened in self._imports.documents(text, document):
                for root in opened.roots:
                    inner = entries_of(root)
                    if inner is None:
                        self._report("wrong-type", root.place, f"a library is a mapping, not {kind_of(root)}")
                    elif "library" in inner:
                        self.read_library(inner["library"], opened)
                    else:
                        self.take_library(inner, opened)
        else:
            self._report(
                "wrong-type", entry.value.place, f"Library must be a mapping or a path, not {shown(entry.value)}"
            )

    def take_library(self, entries: MappingABC[str, Entry], document: Document) -> None:
        """Take the library that a mapping describes."""
        check_names(entries, "library", self._store.report)
        for key in ("readme", "image"):
            if key in entries:
                self.local(key, entries[key], document)
        self.library.update(entries)
