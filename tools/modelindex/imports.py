"""Files that name files: a path or glob to documents, each opened at most once in a chain of imports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.modelindex.paths import PathError, is_glob
from tools.modelindex.records import Place, Problem, Scalar
from tools.modelindex.store import Document, Store

MAX_IMPORTS = 50
"""Files that may import each other in one chain."""

LOOKING = 50
"""What looking for a file costs of :data:`~tools.modelindex.store.MAX_WORK`, beside the entries that it gives."""


class Imports:
    """Opens what a document names, and knows which files are open."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stack: list[str] = []

    @property
    def depth(self) -> int:
        """How many files are open: 1 while a file is read that the caller of the loader named."""
        return len(self._stack)

    def report(self, kind: str, place: Place, message: str, hint: str = "") -> None:
        """Report a problem."""
        self.store.report(Problem(kind, place, message, hint))

    def paths(self, text: Scalar, document: Document) -> list[Path]:
        """The existing files that a path or glob names; what is wrong with it is reported."""
        repository = self.store.repository
        if not self.store.spend(LOOKING, text.place):
            return []
        try:
            if is_glob(text.text):
                # "*.yml" in an index beside its parts means the parts.
                return [
                    p for p in repository.expand(text.text, document.folder) if os.path.realpath(p) != document.real
                ]
            return [repository.resolve(text.text, document.folder)]
        except PathError as error:
            self.report(error.kind, text.place, error.message, error.hint)
            return []

    @contextmanager
    def opened(self, path: Path, named: Scalar | None, declared: bool = True) -> Iterator[Document | None]:
        """The document at ``path``, while it is on the stack of files being read; ``None`` if it must not be read."""
        repository = self.store.repository
        place = named.place if named is not None else Place(repository.shown(path), 1, 1)
        try:
            real = repository.real(path)
        except PathError as error:
            self.report(error.kind, place, error.message, error.hint)
            yield None
            return
        if real in self._stack:
            chain = [*self._stack[self._stack.index(real) :], real]
            shown = " -> ".join(repository.shown(Path(each)) for each in chain)
            self.report("import-cycle", place, f"the import comes back to a file that is being read: {shown}")
            yield None
            return
        if len(self._stack) >= MAX_IMPORTS:
            self.report("unreadable", place, f"more than {MAX_IMPORTS} files import each other in one chain")
            yield None
            return
        self._stack.append(real)
        try:
            yield self.store.document(path, real, declared)
        finally:
            self._stack.pop()

    def documents(self, text: Scalar, document: Document) -> Iterator[Document]:
        """Every readable document that a path or glob names, open while it is the one yielded."""
        for path in self.paths(text, document):
            with self.opened(path, text) as opened:
                if opened is not None:
                    yield opened
