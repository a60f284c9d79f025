"""The cache gives what was measured, or nothing: never something old and never an error."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tools.measure.cache import Cache, Keys, default_path
from tools.measure.records import Factory, Listing, Request
from tools.measure.sources import files_digest, loaded_sources

LISTING = Listing(("a", "b"), ("a",))


@pytest.fixture
def zoo_folder(tmp_path: Path) -> Path:
    package = tmp_path / "root" / "animals"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def build(name): ...\n")
    (package / "table.yaml").write_text("width: 1\n")
    return tmp_path / "root"


def factory(root: Path) -> Factory:
    return Factory("animals:build", root=str(root))


def test_what_was_kept_is_found_again_by_another_process_s_cache(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "measurements.sqlite"
    with Cache(path) as cache:
        assert cache.find("key") is None
        assert not path.exists()  # looking makes no file
        cache.keep("key", "name", LISTING, {})
    with Cache(path) as cache:
        assert cache.find("key") == LISTING
        (entry,) = cache.entries()
        assert (entry.name, entry.size > 20) == ("name", True)
        assert cache.problem == ""


def test_the_key_follows_every_file_of_the_package_and_the_request(zoo_folder: Path) -> None:
    request = Request("cat", factory(zoo_folder))
    keys = {Keys().key(request)}
    assert keys == {Keys().key(request)}
    keys.add(Keys().key(Request("cat", factory(zoo_folder), sizes=((3, 8, 8),))))
    keys.add(Keys().key(Request("cat", factory(zoo_folder), input_size=(3, 8, 8))))
    keys.add(Keys().key(factory(zoo_folder)))
    (zoo_folder / "animals" / "table.yaml").write_text("width: 2\n")
    keys.add(Keys().key(request))
    (zoo_folder / "animals" / "new.py").write_text("")
    keys.add(Keys().key(request))
    assert len(keys) == 6


def test_the_key_follows_versions_and_this_package(zoo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("cat", factory(zoo_folder))
    before = Keys().key(request)
    monkeypatch.setattr("tools.measure.sources.version", lambda name: "9.9" if name == "torch" else "1")
    after = Keys().key(request)
    monkeypatch.setattr("tools.measure.sources.files_digest", lambda places: "other sources")
    assert len({before, after, Keys().key(request)}) == 3


def test_an_installed_factory_is_known_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("x", Factory("numpy:zeros"))
    before = Keys().key(request)
    monkeypatch.setattr("tools.measure.sources.version", lambda name: f"0.{len(name)}")
    assert Keys().key(request) != before


def test_an_entry_is_void_when_a_module_beside_the_package_changed(zoo_folder: Path, tmp_path: Path) -> None:
    beside = zoo_folder / "layers.py"
    beside.write_text("WIDTH = 1\n")
    from tools.measure.sources import file_digest

    with Cache(tmp_path / "c.sqlite") as cache:
        cache.keep("key", "cat", LISTING, {"layers.py": file_digest(beside)})
        assert cache.find("key", str(zoo_folder)) == LISTING
    beside.write_text("WIDTH = 2\n")
    with Cache(tmp_path / "c.sqlite") as cache:
        assert cache.find("key", str(zoo_folder)) is None


def test_the_modules_that_this_process_loaded_from_a_folder_are_known() -> None:
    root = Path(__file__).parents[2]
    loaded = loaded_sources(str(root))
    assert "tests/measure/test_cache.py" in loaded
    assert not any(path.startswith(("tools/", ".venv/")) for path in loaded)


@pytest.mark.parametrize(
    "content", [b"this is no database at all, however long it may be", b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_damaged_file_costs_only_time(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(content)
    with Cache(path) as cache:
        assert cache.find("key") is None
        cache.keep("key", "name", LISTING, {})
        assert cache.find("key") is None
        assert cache.entries() == ()
        assert str(path) in cache.problem


@pytest.mark.parametrize(
    "value", ["{", "[]", '{"kind": "listing", "names": "a", "published": []}', '{"kind": "failure"}']
)
def test_a_damaged_entry_is_not_found(tmp_path: Path, value: str) -> None:
    path = tmp_path / "c.sqlite"
    with Cache(path) as cache:
        cache.keep("key", "name", LISTING, {})
    with sqlite3.connect(path) as database:
        database.execute("UPDATE entries_1 SET value = ?", (value,))
    database.close()
    with Cache(path) as cache:
        assert cache.find("key") is None


def test_a_locked_file_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.measure.cache._LOCK_SECONDS", 0.05)
    path = tmp_path / "c.sqlite"
    with Cache(path) as cache:
        cache.keep("key", "name", LISTING, {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with Cache(path) as cache:
            assert cache.find("key") is None
            cache.keep("key", "name", LISTING, {})
            assert "locked" in cache.problem
    finally:
        other.close()
    with Cache(path) as cache:
        assert cache.find("key") == LISTING


def test_a_cache_that_cannot_be_written_still_gives_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.sqlite"
    with Cache(path) as cache:
        cache.keep("key", "name", LISTING, {})
    # the tests may run as root, whom file permissions do not stop: the database itself refuses to write
    connect = sqlite3.connect

    def read_only(_: Path, timeout: float) -> sqlite3.Connection:
        return connect(f"file:{path}?mode=ro", uri=True, timeout=timeout)

    monkeypatch.setattr("tools.measure.cache.sqlite3.connect", read_only)
    with Cache(path) as cache:
        cache.keep("another", "name", LISTING, {})
        assert "readonly" in cache.problem
        assert cache.find("key") == LISTING


def test_a_folder_in_the_cache_s_place_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file" / "c.sqlite") as cache:
        cache.keep("key", "name", LISTING, {})
        assert cache.problem
    with Cache(tmp_path) as cache:
        cache.keep("key", "name", LISTING, {})
        assert cache.problem


def test_prune_removes_what_was_not_used_for_long(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite") as cache:
        cache.keep("old", "old", LISTING, {})
        cache.keep("new", "new", LISTING, {})
        with sqlite3.connect(cache.path) as database:
            database.execute("UPDATE entries_1 SET used = used - 10 * 86400 WHERE key = 'old'")
        database.close()
        cache.touch(["new"])
        assert cache.prune(5) == 1
        assert [entry.name for entry in cache.entries()] == ["new"]
        cache.touch(["new"])
        assert cache.prune() == 1


def test_the_environment_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ZOO_AUDIT_CACHE", raising=False)
    assert default_path(Path("here")) == Path("here/.cache/zoo-audit/measurements.sqlite")
    monkeypatch.setenv("ZOO_AUDIT_CACHE", str(tmp_path))
    assert default_path(Path("here")) == tmp_path / "measurements.sqlite"


def test_digests_tell_names_contents_and_large_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    one = files_digest([tmp_path])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("y")
    assert files_digest([tmp_path]) == one
    (tmp_path / "a").rename(tmp_path / "b")
    two = files_digest([tmp_path])
    (tmp_path / "weights.bin").write_bytes(b"\0" * (1 << 21))
    assert len({one, two, files_digest([tmp_path])}) == 3
