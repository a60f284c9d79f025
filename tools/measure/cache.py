"""Keep measurements from run to run: one sqlite file of JSON records.

The key of an entry covers everything that its measurement depends on (see :mod:`tools.measure.sources`), so an entry
is either right or not found. A cache that is damaged, locked or read-only costs time and never a result: every error
of the database is kept in :attr:`Cache.problem` and otherwise means "not found". Reading imports no torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.measure.records import Factory, Listing, Measurement, Request
from tools.measure.serial import from_json, to_json
from tools.measure.sources import factory_digest, file_digest, own_digest

_LAYOUT = 1
_TABLE = f"""
CREATE TABLE IF NOT EXISTS entries_{_LAYOUT} (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL,
    sources TEXT NOT NULL, value TEXT NOT NULL)
"""
_LOCK_SECONDS = 2.0
FILE_NAME = "measurements.sqlite"


def default_path(root: Path) -> Path:
    """``.cache/zoo-audit/measurements.sqlite`` under ``root``, or in the folder that ZOO_AUDIT_CACHE names."""
    folder = os.environ.get("ZOO_AUDIT_CACHE")
    return (Path(folder) if folder else root / ".cache" / "zoo-audit") / FILE_NAME


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept record, as ``cache show`` lists it."""

    name: str
    """The model's name; empty for a listing of a zoo's models."""
    size: int
    """Bytes of its JSON text."""
    created: float
    """Seconds since the epoch."""
    used: float
    """When it was last found, in seconds since the epoch."""


class Keys:
    """Makes the keys of one run: every factory's sources are hashed once."""

    def __init__(self) -> None:
        self._own = own_digest()
        self._factories: dict[Factory, str] = {}

    def key(self, task: Request | Factory) -> str:
        """The key of a model's measurement, or of a zoo's listing."""
        factory = task.factory if isinstance(task, Request) else task
        if factory not in self._factories:
            self._factories[factory] = factory_digest(factory)
        parts = [self._own, self._factories[factory], json.dumps(to_json(task), sort_keys=True)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Cache:
    """The cache file. Use it as a context manager, from one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """What went wrong with the file, as a sentence; empty while all is well."""
        self._digests: dict[Path, str] = {}
        self._connection: sqlite3.Connection | None = None
        self._broken = False

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._guard():
            if self._connection is not None:
                self._connection.commit()
                self._connection.close()
        self._connection = None

    def find(self, key: str, root: str = ".") -> Measurement | Listing | None:
        """The record under ``key``, if the files under ``root`` that it came from are still the same."""
        row: Any = None
        with self._guard():
            database = self._open(writing=False)
            if database is not None:
                query = f"SELECT sources, value FROM entries_{_LAYOUT} WHERE key = ?"  # noqa: S608 - a constant
                row = database.execute(query, (key,)).fetchone()
        if row is None:
            return None
        try:
            sources, record = json.loads(row[0]), from_json(json.loads(row[1]))
        except (ValueError, TypeError):
            self.problem = f"{self.path}: an entry is damaged; it is measured again"
            return None
        if not isinstance(record, Measurement | Listing) or not self._unchanged(sources, Path(root)):
            return None
        return record

    def keep(self, key: str, name: str, record: Measurement | Listing, sources: Mapping[str, str]) -> None:
        """Write ``record`` at once, so that an interrupted run loses nothing."""
        now = time.time()
        row = (key, name, now, now, json.dumps(dict(sources)), json.dumps(to_json(record)))
        with self._guard():
            database = self._open(writing=True)
            if database is not None:
                command = f"INSERT OR REPLACE INTO entries_{_LAYOUT} VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
                database.execute(command, row)
                database.commit()

    def touch(self, keys: list[str]) -> None:
        """Remember that the entries were used today, for :meth:`prune`. Written at most once a day for an entry."""
        now = time.time()
        with self._guard():
            database = self._open(writing=False)
            if database is not None and keys:
                command = f"UPDATE entries_{_LAYOUT} SET used = ? WHERE key = ? AND used < ?"  # noqa: S608
                database.executemany(command, [(now, key, now - 86400) for key in keys])
                database.commit()

    def entries(self) -> tuple[Entry, ...]:
        """Everything that is kept, by name."""
        rows: list[Any] = []
        with self._guard():
            database = self._open(writing=False)
            if database is not None:
                query = f"SELECT name, length(value), created, used FROM entries_{_LAYOUT} ORDER BY name, created"  # noqa: S608
                rows = database.execute(query).fetchall()
        return tuple(Entry(str(name), int(size), float(made), float(used)) for name, size, made, used in rows)

    def prune(self, unused_days: float = 0.0) -> int:
        """Remove entries that were not used for so many days (0: all); how many these were."""
        removed = 0
        with self._guard():
            database = self._open(writing=False)
            if database is not None:
                command = f"DELETE FROM entries_{_LAYOUT} WHERE used <= ?"  # noqa: S608
                removed = database.execute(command, (time.time() - unused_days * 86400,)).rowcount
                database.commit()
                database.execute("VACUUM")
        return removed

    def _unchanged(self, sources: Any, root: Path) -> bool:
        if not isinstance(sources, dict):
            return False
        for relative, digest in sources.items():
            path = root / str(relative)
            if path not in self._digests:
                self._digests[path] = file_digest(path)
            if self._digests[path] != digest:
                return False
        return True

    def _open(self, *, writing: bool) -> sqlite3.Connection | None:
        """The connection; ``None`` once the file failed, or where there is no file and nothing to write."""
        if self._broken or (self._connection is None and not writing and not self.path.is_file()):
            return None
        if self._connection is None:
            if writing:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=_LOCK_SECONDS)
            self._connection.execute("PRAGMA synchronous = OFF")
            names = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if (f"entries_{_LAYOUT}",) not in names:
                self._connection.execute(_TABLE)
        return self._connection

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.problem = f"{self.path}: the cache cannot be used: {error}"
            # One failed write (read-only, full) leaves reading possible; anything else is not tried again.
            if "readonly" not in str(error):
                self._broken = True
