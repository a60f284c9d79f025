"""Hostile and broken input: a located problem each, the healthy rest read, in bounded time and memory."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import yaml

from tests.modelindex.helpers import clean, load, make, metadata, names, one, only, text_at, where
from tools.modelindex import load_index, text
from tools.modelindex.compose import MAX_DEPTH, composer
from tools.modelindex.compose import nodes as every_node
from tools.modelindex.imports import MAX_IMPORTS

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_an_alias_bomb(tmp_path: Path) -> None:
    assert only(one(tmp_path, BOMB + "Models: [{Name: a}]\n"), "unreadable").message.startswith("aliases blow")


def test_an_alias_to_its_own_parent(tmp_path: Path) -> None:
    assert only(one(tmp_path, "Models: &m\n- Name: a\n  Metadata: {X: *m}\n"), "unreadable").place.line == 1


def test_aliases_that_nest_too_deep(tmp_path: Path) -> None:
    chain = "a0: &a0 [" + "[" * 40 + "]" * 40 + "]\n"
    for number in range(1, 6):
        chain += f"a{number}: &a{number} [" + "[" * 40 + f"*a{number - 1}" + "]" * 40 + "]\n"
    assert only(one(tmp_path, chain), "unreadable")


@pytest.mark.parametrize(
    "deep",
    ["[" * 10_000 + "]" * 10_000, "- " * 10_000 + "a", "{a: " * 10_000 + "}" * 10_000, "[" * 1_000_000, "? " * 10_000],
    ids=["flow", "block", "mappings", "a million, unclosed", "complex keys"],
)
def test_ten_thousand_levels(tmp_path: Path, deep: str) -> None:
    index = load(
        tmp_path, {"model-index.yml": "Import: [deep.yml, a.yml]\n", "deep.yml": deep, "a.yml": "Models: [{Name: a}]"}
    )
    assert only(index, "unreadable").place.path == "deep.yml"
    assert names(index) == ["a"]


def test_ten_thousand_levels_of_json(tmp_path: Path) -> None:
    assert only(one(tmp_path, "[" * 10_000 + "]" * 10_000, "deep.json"), "unreadable")


def test_the_deepest_allowed_value(tmp_path: Path) -> None:
    # Two levels are the file's own: its mapping and the metadata's.
    depth = MAX_DEPTH - 3
    index = clean(one(tmp_path, f"Name: a\nMetadata:\n  X: {'[' * depth}{']' * depth}\n"))
    assert list(metadata(index.models[0])) == ["x"]


def test_two_hundred_megabytes_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model-index.yml"
    with path.open("wb") as stream:
        stream.truncate(200 * 2**20)
    monkeypatch.setattr(os, "fdopen", lambda *_args, **_keys: pytest.fail("the file was opened for reading"))
    assert only(load_index([path], tmp_path), "unreadable").message.startswith("the file has at least 209715200 bytes")


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_FILE_BYTES", 20)
    assert one(tmp_path, "Models: [{Name: a}]\n").problems == ()
    assert only(one(tmp_path, "Models: [{Name: ab}]\n"), "unreadable")


def test_too_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.modelindex.compose.MAX_NODES", 100)
    index = one(tmp_path, "Models:\n- Name: a\n" + "- \n" * 200)
    assert "more than 100 values" in only(index, "unreadable").message


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"Models:\n- Name: \xff\n", "2:9"),
        (b"\xff\xfeM\x00", "1:1"),
        (b"Models:\n- Name: a\x00b\n", "2:10"),
        (b"\xef\xbb\xbfModels:\n- Name: \xc3\xa9\xe9\n", "2:10"),
        (b"Models:\n- Name: a\x07\n", "2:10"),
        ("Models:\n- Code: ü😀\n  Name: a\x07\n".encode(), "3:10"),
        (b"Models:\n\t- Name: a\n", "2:1"),
        (b"Models: [\n", "2:1"),
        (b"Models: []\n---\nModels: []\n", "2:1"),
        (b"Models: *unknown\n", "1:9"),
        (b"'", "1:2"),
    ],
    ids=["latin", "utf-16", "nul", "latin, mark", "bell", "bell, wide", "tab", "open", "two", "alias", "quote"],
)  # fmt: skip
def test_broken_files(tmp_path: Path, data: bytes, place: str) -> None:
    index = load(
        tmp_path, {"i.yml": "Import: [bad.yml, a.yml]", "bad.yml": data, "a.yml": "Models: [{Name: a}]"}, "i.yml"
    )
    assert where(index) == [f"bad.yml:{place} unreadable"]
    assert names(index) == ["a"]


@pytest.mark.parametrize(
    ("data", "place"), [('{"Models": [}', "1:13"), ("{'Models': []}", "1:2"), ('{"a": 1}\n{}', "2:1")]
)
def test_broken_json(tmp_path: Path, data: str, place: str) -> None:
    assert where(one(tmp_path, data, "i.json")) == [f"i.json:{place} unreadable"]


def test_json_with_everything_that_json_has(tmp_path: Path) -> None:
    name = 'a"\\/\b\f\n\r\té😀\u2028 \x7f\x85 end\ue000'
    document = {"Models": [{"Name": name, "Metadata": {"X": 1.5e10, "Y": None, "Z": True, "After": "here"}}]}
    for ascii_only in (True, False):
        for indent in (None, "\t"):
            written = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
            index = clean(one(tmp_path, written, "i.json"))
            assert index.models[0].name.text == name
            assert text_at(index, index.models[0].metadata["after"].value) == '"here"'
            assert metadata(index.models[0]) == {"x": "15000000000.0", "y": None, "z": "true", "after": "here"}


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!custom", "!<tag:x,2000:y>"]
)
def test_tags_are_reported_and_never_built(tmp_path: Path, tag: str) -> None:
    index = one(tmp_path, f"Models:\n- Name: a\n  Code: {tag} [touch pwned]\n- {{Name: b, Code: {tag} 'x'}}\n")
    assert [problem.place[1:] for problem in index.problems if problem.kind == "unreadable"] == [(3, 9), (4, 19)]
    assert names(index) == ["a", "b"]


def test_yamls_own_tags_are_fine(tmp_path: Path) -> None:
    index = clean(one(tmp_path, "Models:\n- Name: !!str 42\n  Metadata: !!map {FLOPs: !!int 5}\n"))
    name = index.models[0].name
    assert (name.text, str(name.place)) == ("42", "model-index.yml:2:15")


@pytest.mark.parametrize(
    ("text_", "place"),
    [
        ("Models: [{Name: a}]\nModels: [{Name: b}]\n", "2:1"),
        ("Models:\n- Name: a\n  name: b\n", "3:3"),
        ("Models:\n- Name: a\n  Metadata:\n    File Size: 1\n    file_size: 2\n", "5:5"),
        ("Models:\n- Name: a\n  Metadata:\n    Custom:\n    - X: {y: 1, y: 2}\n", "5:17"),
    ],
)
def test_duplicate_keys(tmp_path: Path, text_: str, place: str) -> None:
    index = one(tmp_path, text_)
    assert where(index) == [f"model-index.yml:{place} duplicate-key"]


@pytest.mark.parametrize(
    "path",
    [
        "../outside.yml", "sub/../../outside.yml", "/etc/hostname", "link.yml", "folder/outside.yml",
        "'../*.yml'", "'folder/*.yml'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["Import: {}", "Models: [{{Name: a, Metadata: {}}}]", "Models: {}"])
def test_nothing_outside_the_root_is_read(tmp_path: Path, path: str, field: str) -> None:
    make(tmp_path, {"outside.yml": "FLOPs: 666\n", "root/model-index.yml": field.format(path) + "\n"})
    (tmp_path / "root/link.yml").symlink_to(tmp_path / "outside.yml")
    (tmp_path / "root/folder").symlink_to(tmp_path)
    index = load_index([tmp_path / "root/model-index.yml"], tmp_path / "root")
    kinds = {problem.kind for problem in index.problems}
    assert "outside-root" in kinds or (path == "/etc/hostname" and kinds == {"wrong-type"})
    assert list(index.files) == ["model-index.yml"]


@pytest.mark.parametrize("field", ["README: ../outside.md", "Image: ../outside.png", "Config: ../outside.py"])
def test_readme_image_and_config_stay_inside(tmp_path: Path, field: str) -> None:
    make(
        tmp_path,
        {"outside.md": "secret", "outside.png": "", "outside.py": "", "root/i.yml": f"Models:\n- Name: a\n  {field}\n"},
    )
    index = load_index([tmp_path / "root/i.yml"], tmp_path / "root")
    assert only(index, "outside-root").place.line == 3
    assert list(index.files) == ["i.yml"]


def test_an_index_outside_the_root_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, {"outside.yml": "Models: [{Name: a}]\n", "root/x": ""})
    assert only(load_index([tmp_path / "outside.yml"], tmp_path / "root"), "outside-root")


def test_a_glob_reports_the_symlink_that_leads_outside_and_reads_the_rest(tmp_path: Path) -> None:
    make(tmp_path, {"secret.md": "<!--\nModels: [{Name: secret}]\n-->", "root/model-index.yml": "Import: 'c/*.md'\n"})
    make(tmp_path / "root", {"c/a.md": "<!--\nModels: [{Name: a}]\n-->"})
    (tmp_path / "root/c/b.md").symlink_to(tmp_path / "secret.md")
    index = load_index([tmp_path / "root"], tmp_path / "root")
    assert only(index, "outside-root")
    assert names(index) == ["a"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "dangling", "loop"])
def test_what_is_no_regular_file(tmp_path: Path, kind: str) -> None:
    bad = tmp_path / "bad.yml"
    if kind == "pipe":
        os.mkfifo(bad)
    elif kind == "folder":
        bad.mkdir()
    elif kind == "device":
        bad.symlink_to("/dev/zero")
    else:
        bad.symlink_to(tmp_path / ("nowhere" if kind == "dangling" else "bad.yml"))
    index = load(tmp_path, {"model-index.yml": "Import: [bad.yml, a.yml]\n", "a.yml": "Models: [{Name: a}]\n"})
    assert len(index.problems) == 1
    assert names(index) == ["a"]
    direct = load_index([bad], tmp_path)
    assert len(direct.problems) == 1


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")  # root, who runs many a CI, may read everything

    make(tmp_path, {"model-index.yml": "Models: []\n"})
    monkeypatch.setattr(os, "open", refuse)
    problem = only(load_index([tmp_path / "model-index.yml"], tmp_path), "unreadable")
    assert problem.message == "the file cannot be read: Permission denied"


@pytest.mark.parametrize(
    "path", ['"a\\0b.yml"', '"' + "x" * 300 + '.yml"', '"' + "x/" * 5000 + 'y.yml"', '"**/\\0*.yml"']
)
def test_impossible_paths(tmp_path: Path, path: str) -> None:
    index = one(tmp_path, f"Import: {path}\nModels: [{{Name: a}}]\n")
    assert [problem.kind for problem in index.problems] in (["missing-import"], ["empty-glob"])
    assert names(index) == ["a"]


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    index = load(tmp_path, {"model-index.yml": "Import: a.txt\n", "a.txt": "Models: []"})
    assert only(index, "unreadable").place.path == "a.txt"


def test_a_chain_of_imports_ends(tmp_path: Path) -> None:
    count = MAX_IMPORTS + 10
    files = {f"{number}.yml": f"Import: {number + 1}.yml\nModels: [{{Name: m{number}}}]\n" for number in range(count)}
    index = load(tmp_path, files, "0.yml")
    assert str(only(index, "unreadable").place) == f"{MAX_IMPORTS - 1}.yml:1:9"
    assert len(index.models) == MAX_IMPORTS


def test_symlinked_folders_that_contain_each_other(tmp_path: Path) -> None:
    make(tmp_path, {"model-index.yml": "Import: '**/*.md'\n", "a/x.md": "<!--\nModels: [{Name: x}]\n-->", "b/y": ""})
    for one_, other in ("ab", "ba"):
        for number in range(10):
            (tmp_path / one_ / f"{other}{number}").symlink_to(tmp_path / other)
    assert names(clean(load_index([tmp_path], tmp_path))) == ["x"]


def test_files_that_multiply_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.modelindex.store.MAX_WORK", 20_000)
    files = {f"{number}.yml": f"[{number + 1}.yml, {number + 1}.yml]\n" for number in range(30)}
    files |= {"30.yml": "FLOPs: 5\n", "model-index.yml": "Models: [{Name: a, Metadata: 0.yml}, {Name: b}]\n"}
    index = load(tmp_path, files)
    assert "beyond all reason" in only(index, "unreadable").message
    assert names(index) == ["a", "b"]


def test_collections_that_multiply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.modelindex.store.MAX_WORK", 20_000)
    wide = "".join(f"    Field {number}: 1\n" for number in range(300))
    models = "".join(f"- {{Name: m{number}, In Collection: F, Metadata: {{A: 1}}}}\n" for number in range(300))
    index = one(tmp_path, f"Collections:\n- Name: F\n  Metadata:\n{wide}Models:\n{models}")
    assert only(index, "unreadable").kind == "unreadable"
    assert len(index.models) == 300


def test_the_same_problem_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.modelindex.store.MAX_PROBLEMS", 5)
    index = one(tmp_path, "a: 1\n" * 100 + "Models: [5]\n")
    assert [problem.kind for problem in index.problems] == ["duplicate-key"] * 6 + ["wrong-type"]
    assert index.problems[5].message == "the file has more than 5 problems of this kind; the rest is left out"


def test_a_glob_that_looks_at_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.modelindex.paths.MAX_VISITED", 5)
    files = {"model-index.yml": "Import: '**/*.yml'\n", **{f"d{number}/a.yml": "" for number in range(10)}}
    assert only(load(tmp_path, files), "unreadable").place == ("model-index.yml", 1, 9)


def test_a_page_of_opening_marks_takes_linear_time(tmp_path: Path) -> None:
    page = "`" * 3 + "x `` <!-- ` " * 20_000 + "\n" + "<!--" * 50_000 + "\n" + "<!-- a: " * 1000
    assert where(one(tmp_path, page, "a.md")) == ["a.md:1:1 wrong-type"]


def test_the_pure_python_composer_sees_the_same() -> None:
    text_ = "Models:\n- Name: 'ä 😀'\n  Metadata: {FLOPs: 12:30, X: no}\n  Y: |\n    block\n"
    nodes = [yaml.compose(text_, Loader=composer(pure)) for pure in (True, False)]
    seen = [[(type(each), each.start_mark.index) for each in every_node(node)] for node in nodes if node is not None]
    assert seen[0] == seen[1]
    assert len(seen[0]) == 14
    for pure in (True, False):
        with pytest.raises(yaml.YAMLError, match="nested more than"):
            yaml.compose("[" * 200 + "]" * 200, Loader=composer(pure))
