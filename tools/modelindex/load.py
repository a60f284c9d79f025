"""Load a model index: every file it names, with what is wrong with them beside what is right."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.collector import collector_paused
from tools.modelindex.inherit import Families, models
from tools.modelindex.paths import PathError, Repository
from tools.modelindex.records import Index, Place, Problem
from tools.modelindex.store import Store
from tools.modelindex.text import PAGES
from tools.modelindex.walk import Walk

INDEX_NAMES = ("model-index.yml", "model-index.yaml")
"""What a folder's index is called."""


def load(paths: Sequence[Path], root: Path) -> Index:
    """Load the files ``paths``, each an index, a card or a part of one, as one index.

    A folder means its ``model-index.yml`` or ``.yaml``; a folder without one means every page below it
    that says ``Type: model-index``. Nothing outside ``root`` is read. All paths in the records are
    relative to ``root``.

    Wrong input raises nothing: whatever is wrong comes back in :attr:`Index.problems`, located, in the
    order of files and lines, beside all that could be read.
    """
    with collector_paused(settle=True):
        store = Store(root)
        walk = Walk(store)
        for path in paths:
            _start(walk, store.repository.absolute(path))
        families = Families(walk.collections, store)
        found = models(walk.models, families, store.report)
        order = {path: number for number, path in enumerate(store.files)}
        return Index(
            root=store.repository.root,
            models=found,
            collections=families.records,
            library=walk.library,
            files=store.files,
            problems=tuple(sorted(store.problems, key=lambda each: _key(each.place, order))),
            ignores=tuple(sorted(set(store.ignores), key=lambda each: _key(each.place, order))),
        )


def _start(walk: Walk, path: Path) -> None:
    if not path.is_dir():
        if not os.path.lexists(path):
            place = Place(walk.store.repository.shown(path), 1, 1)
            walk.store.report(Problem("missing-import", place, "there is no such file"))
            return
        walk.start(path)
        return
    for name in INDEX_NAMES:
        if (path / name).is_file():
            walk.start(path / name)
            return
    before = len(walk.models) + len(walk.collections)
    broken = len(walk.store.problems)
    for page in _pages(walk.store.repository, path):
        walk.start(page, declared=False)
    if len(walk.models) + len(walk.collections) == before and len(walk.store.problems) == broken:
        place = Place(walk.store.repository.shown(path), 1, 1)
        message = f"the folder holds neither {' nor '.join(INDEX_NAMES)}, nor a page with Type: model-index"
        walk.store.report(Problem("missing-import", place, message))


def _pages(repository: Repository, folder: Path) -> Iterator[Path]:
    for suffix in PAGES:
        try:
            yield from repository.expand(f"**/*{suffix}", folder)
        except PathError:
            continue


def _key(place: Place, order: dict[str, int]) -> tuple[int, Place]:
    return order.get(place.path, len(order)), place
