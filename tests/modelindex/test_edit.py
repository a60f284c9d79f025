"""Single values are spliced, every other byte stays, and files are replaced whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.modelindex.helpers import DATA, clean, load, metadata, one, plain
from tools.modelindex import load_index
from tools.modelindex.edit import EditError, apply_edits, encode, insertion, replacement, splice, write_atomic
from tools.modelindex.nodes import YamlScalar
from tools.modelindex.records import Edit, Scalar, Value


def edit(start: int, end: int, old: str, new: str) -> Edit:
    return Edit("f", start, end, old, new)


def test_splice() -> None:
    edits = [
        edit(8, 11, "ijk", "I"),
        edit(0, 1, "a", ""),
        edit(3, 3, "", "<"),
        edit(3, 3, "", ">"),
        edit(0, 1, "a", ""),
    ]
    assert splice("abcdefghijk", edits) == "bc<>defghI"
    assert splice("abc", []) == "abc"


@pytest.mark.parametrize(
    "edits",
    [
        [edit(0, 3, "abc", "x"), edit(2, 4, "cd", "y")],
        [edit(0, 3, "abc", "x"), edit(0, 3, "abc", "y")],
        [edit(0, 3, "abc", "x"), edit(1, 1, "", "y")],
        [edit(0, 3, "abd", "x")],
        [edit(4, 9, "ef", "x")],
        [edit(-1, 0, "", "x")],
        [edit(3, 2, "", "x")],
    ],
)
def test_edits_that_cannot_be_made_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(EditError, match="f, characters"):
        splice("abcdef", edits)


def test_an_insertion_may_touch_a_replacement() -> None:
    assert splice("abc", [edit(0, 1, "a", "A"), edit(1, 1, "", "-"), edit(1, 2, "b", "B")]) == "A-Bc"


def test_a_file_that_was_not_read_is_refused() -> None:
    with pytest.raises(EditError, match="not read"):
        apply_edits({}, [edit(0, 0, "", "x")])


CARD = """# Tïtle 😀

<!--
Type: model-index   # kept
Models:
- Name: a
  Metadata:
    FLOPs: 123      # not the last word
    Crop Pct: '0.875'
    ID: "a"
    Empty:
    File Size: 99
  Results: [{Task: T, Dataset: D, Metrics: {Top 1: 70%, Top 5: 90%}}]
-->
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_every_other_byte_stays(tmp_path: Path, newline: str, bom: bytes) -> None:
    data = bom + CARD.replace("\n", newline).encode()
    index = clean(load(tmp_path, {"a.md": data}, "a.md"))
    file, model = index.files["a.md"], index.models[0]
    assert encode(file, file.text) == data
    changes = {"flops": "124", "crop pct": "0.9", "id": "it's", "empty": "x", "file size": "7"}
    edits = [replacement(file, scalar(model.metadata[key].value), new) for key, new in changes.items()]
    edits.append(replacement(file, scalar(model.results[0].metrics[1].value), "91%"))
    text = apply_edits(index.files, edits)["a.md"]
    expected = CARD
    for old, new in (
        ("123", "124"), ("'0.875'", "'0.9'"), ('"a"', '"it\'s"'), ("Empty:", "Empty: x"), ("Size: 99", "Size: 7"),
        ("90%", "91%"),
    ):  # fmt: skip
        expected = expected.replace(old, new)
    assert encode(file, text) == bom + expected.replace("\n", newline).encode()
    again = clean(load(tmp_path, {"a.md": encode(file, text)}, "a.md"))
    assert metadata(again.models[0]) == changes


def scalar(value: Value) -> Scalar:
    """The value, which must be a single one (and may be nothing)."""
    assert isinstance(value, YamlScalar)
    return value


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["", "~", "null", "no", "-", "- a", "a: b", "a #b", "#", "'", '"', "it's", "-->", "x-->y", "[", "{a}", "&a", "*a",
     "!t", "%", "@", "`", " a", "a ", "a\nb", "\t", "?", "? a", ":", "a:", "=", "<<", "12:30", "0.875", "2020-01-01",
     "😀", "\x85", "\ufeff", "\u2028", "|", ">", "\\", "\\n", "...", "---"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=VALUES, old=st.sampled_from(["b", "'b'", '"b"', "", "|\n      b", "!!str b", "&x b"]), flow=st.booleans())
def test_whatever_is_written_is_read_back(tmp_path: Path, new: str, old: str, flow: bool) -> None:
    if flow:
        old = old.split("\n")[0].replace("|", "b")
    body = f"  Metadata: {{X: {old}, After: c}}\n" if flow else f"  Metadata:\n    X: {old}\n    After: c\n"
    index = clean(one(tmp_path, f"<!--\nModels:\n- Name: a\n{body}-->\nEnd\n", "a.md"))
    value = index.models[0].metadata["x"].value
    text = apply_edits(index.files, [replacement(index.files["a.md"], scalar(value), new)])["a.md"]
    again = one(tmp_path, text, "a.md")
    assert again.problems == ()
    found = again.models[0].metadata["x"].value
    assert (scalar(found).text, metadata(again.models[0])["after"]) == (new, "c")
    assert text.endswith("\n-->\nEnd\n")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=VALUES, old=st.sampled_from(["5", '"b"']))
def test_whatever_is_written_to_json_is_read_back(tmp_path: Path, new: str, old: str) -> None:
    index = clean(one(tmp_path, f'{{"Name": "a", "Metadata": {{"X": {old}, "After": "c"}}}}', "a.json"))
    edits = [
        replacement(index.files["a.json"], scalar(index.models[0].metadata["x"].value), new),
        insertion(index.files["a.json"], index.models[0].metadata["after"], "New", new),
    ]
    again = clean(one(tmp_path, apply_edits(index.files, edits)["a.json"], "a.json"))
    found = again.models[0].metadata
    assert [scalar(found[key].value).text for key in ("x", "after", "new")] == [new, "c", new]


@pytest.mark.parametrize(
    ("written", "after", "expected"),
    [
        ("    FLOPs: 1\n    ID: a\n", "flops", "    FLOPs: 1\n    SHA256: 0a\n    ID: a\n"),
        ("    FLOPs: 1  # note\n", "flops", "    FLOPs: 1  # note\n    SHA256: 0a\n"),
        ("    FLOPs: 1", "flops", "    FLOPs: 1\n    SHA256: 0a"),
        (
            "    Tags:\n    - a\n    - b: c\n      d: [e]\n    ID: a\n",
            "tags",
            "    Tags:\n    - a\n    - b: c\n      d: [e]\n    SHA256: 0a\n    ID: a\n",
        ),
        ("    Tags: [\n      a, b\n      ]\n", "tags", "    Tags: [\n      a, b\n      ]\n    SHA256: 0a\n"),
        ("    X: |\n      text\n\n    ID: a\n", "x", "    X: |\n      text\n    SHA256: 0a\n\n    ID: a\n"),
        ("    {FLOPs: 1, ID: a}\n", "flops", "    {FLOPs: 1, SHA256: 0a, ID: a}\n"),
        (
            "    {\n      FLOPs: 1,\n      ID: a\n    }\n",
            "id",
            "    {\n      FLOPs: 1,\n      ID: a,\n      SHA256: 0a\n    }\n",
        ),
        ("    X:\n", "x", "    X:\n    SHA256: 0a\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_insertion(tmp_path: Path, written: str, after: str, expected: str, newline: str) -> None:
    head = "Models:\n- Name: a\n  Metadata:\n"
    index = clean(one(tmp_path, (head + written).replace("\n", newline)))
    file, model = index.files["model-index.yml"], index.models[0]
    text = apply_edits(index.files, [insertion(file, model.metadata[after], "SHA256", "0a")])["model-index.yml"]
    assert text == (head + expected).replace("\n", newline)
    assert metadata(clean(one(tmp_path, text)).models[0]) == {**metadata(model), "sha256": "0a"}


def test_insertion_behind_the_first_key_of_a_list_item_and_before_the_comments_end(tmp_path: Path) -> None:
    index = clean(one(tmp_path, "<!-- Models:\n- Name: a -->\n", "a.md"))
    text = splice(
        index.files["a.md"].text, [insertion(index.files["a.md"], index.models[0].fields["name"], "Code", "x: y")]
    )
    assert text == "<!-- Models:\n- Name: a\n  Code: 'x: y' -->\n"
    assert plain(clean(one(tmp_path, text, "a.md")).models[0].code) == "x: y"


def test_every_claim_of_a_real_card_can_be_spliced() -> None:
    index = load_index([DATA / "tf-mixnet.md"], DATA)
    file = index.files["tf-mixnet.md"]
    for model in index.models:
        for entry in model.metadata.values():
            if isinstance(plain(entry.value), str):
                value = scalar(entry.value)
                made = replacement(file, value, value.text)
                assert (made.old, splice(file.text, [made])) == (made.new, file.text)


def test_write_atomic_keeps_mode_and_symlink(tmp_path: Path) -> None:
    target, link = tmp_path / "f", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomic(link, b"new")
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode), link.is_symlink()) == (b"new", 0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "link"]


def test_write_atomic_puts_no_file_in_the_place_of_a_device_or_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        write_atomic(pipe, b"x")
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_write_atomic_makes_a_new_file_as_any_program_would(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new", b"x")
    (tmp_path / "other").write_bytes(b"x")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_a_failure_at_any_step_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*_arguments: object, **_keys: object) -> None:
        raise OSError("no space left")

    target = tmp_path / "f"
    target.write_bytes(b"old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="no space"):
        write_atomic(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_kill_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    target = tmp_path / "f"
    contents = [letter * 200_000 for letter in (b"a", b"b")]
    write_atomic(target, contents[0])
    code = (
        "import sys; from pathlib import Path; from tools.modelindex.edit import write_atomic\n"
        "target = Path(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for letter in (b'a', b'b'): write_atomic(target, letter * 200_000)\n"
    )
    for delay in (0.0, 0.003, 0.011, 0.02):
        process = subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert target.read_bytes() in contents
