"""A thousand generated malformed indexes: never an exception, and every place lies within its file."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.modelindex.helpers import DATA, make
from tests.modelindex.test_cards import HUGGING_FACE
from tools.modelindex import load_index
from tools.modelindex.export import FORMATS, export
from tools.modelindex.nodes import YamlScalar, mapping, sequence
from tools.modelindex.records import PROBLEM_KINDS, Entry, Index, Place, Value

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
CARD = (DATA / "tf-mixnet.md").read_text(encoding="utf-8")
SHORT = CARD[CARD.index("<!--") : CARD.index("- Name: tf_mixnet_m")] + "-->\n"
# What breaks YAML, Markdown, and a reader's expectations.
PIECES = [
    "-->", "<!--", "```", "---", "\t", "'", '"', "[", "]", "{", "}", ": ", "- ", "#", "&a ", "*a", "!!python/name:os ",
    "|", ">", "?", "\r", "\u2028", "\0", "\ufeff", "é😀", "null", "~", "<<: ", "Name", "Models: 5\n", "Import: '**'\n",
    "Type: x\n",
    "  Metadata: [1, {a: b}, x.yml]\n", "  Results: {Metrics: [[1]]}\n", "- Name: [x]\n", "Collections:\n- 5\n- {}\n",
    "# audit: ignore[FLP001]\n", "  In Collection: {a: b}\n", "Library: 7\n", "- \n", "Models:\n",
]  # fmt: skip


def check(index: Index) -> None:
    """Every place of everything in an index exists in the file, and every known value stands where it says."""
    for problem in index.problems:
        assert problem.kind in PROBLEM_KINDS
        assert problem.message
        inside(index, problem.place)
    for ignore in index.ignores:
        inside(index, ignore.place)
    for model in index.models:
        inside(index, model.place)
        walk(index, {**model.fields, **model.metadata})
        for result in model.results:
            inside(index, result.place)
            for metric in result.metrics:
                inside(index, metric.name.place)
                value(index, metric.value)
    for collection in index.collections:
        walk(index, {**collection.fields, **collection.metadata})
    walk(index, dict(index.library))
    for form in FORMATS:
        export(index, form)


def inside(index: Index, place: Place) -> None:
    if place.path not in index.files:  # a file that could not be read has no lines
        assert place[1:] == (1, 1) or any(problem.place == place for problem in index.problems)
        return
    text = index.files[place.path].text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert 1 <= place.line <= len(lines)
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1


def walk(index: Index, entries: dict[str, Entry]) -> None:
    for entry in entries.values():
        value(index, entry.key)
        value(index, entry.value)


def value(index: Index, of: Value) -> None:
    inside(index, of.place)
    items, fields = sequence(of), mapping(of)
    if items is not None:
        for item in items.items:
            value(index, item)
    elif fields is not None:
        walk(index, dict(fields.entries))
    else:
        assert isinstance(of, YamlScalar)
        text = index.files[of.place.path].text
        assert 0 <= of.start <= of.end <= len(text)
        written = text[of.start : of.end]
        if written.isalnum():
            assert written == of.text


def mutate(text: str, seed: int, times: int) -> str:
    """Characters, words and lines deleted, doubled, swapped and inserted."""
    chance = random.Random(seed)
    for _ in range(times):
        lines = text.split("\n")
        at = chance.randrange(len(text) + 1)
        line = chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                text = text[:at] + text[at + 1 :]
            case 1:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 2:
                text = "\n".join(lines[:line] + lines[line + 1 :])
            case 3:
                text = "\n".join([*lines[:line], lines[line], *lines[line:]])
            case 4:
                other = chance.randrange(len(lines))
                lines[line], lines[other] = lines[other], lines[line]
                text = "\n".join(lines)
            case 5:
                lines[line] = " " * chance.randrange(6) + lines[line].lstrip()
                text = "\n".join(lines)
            case 6:
                key, colon, _ = lines[line].partition(": ")
                lines[line] = key + colon + chance.choice(PIECES)
                text = "\n".join(lines)
            case _:
                text = text[: at + 1] + text[at : at + chance.randrange(80)] + text[at + 1 :]
    return text


@settings(QUIET, max_examples=700)
@given(
    card=st.sampled_from([SHORT, HUGGING_FACE]),
    seed=st.integers(0, 2**32),
    times=st.integers(1, 12),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_mutated_cards(tmp_path: Path, card: str, seed: int, times: int, newline: str) -> None:
    text = mutate(card, seed, times).replace("\n", newline)
    make(tmp_path, {"docs/model-index.yml": "Import: card.md\n", "docs/card.md": text})
    check(load_index([tmp_path / "docs"], tmp_path))


@settings(QUIET, max_examples=150)
@given(seed=st.integers(0, 2**32), times=st.integers(1, 12))
def test_mutated_indexes(tmp_path: Path, seed: int, times: int) -> None:
    body = SHORT.removeprefix("<!--\n").removesuffix("-->\n") + "Import: other.yml\nLibrary: {Name: Zoo}\n"
    make(tmp_path, {"model-index.yml": mutate(body, seed, times), "other.yml": mutate(body, seed + 1, times)})
    check(load_index([tmp_path / "model-index.yml"], tmp_path))


KEYS = st.sampled_from(
    ["Name", "name", "Models", "Collections", "Library", "Import", "Type", "Metadata", "Results", "Task", "Dataset",
     "Metrics", "value", "In Collection", "Paper", "Code", "README", "Image", "Config", "FLOPs", "Model", "<<", ""]
) | st.text(max_size=5)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a.yml", "*.yml", "**/*", "../x.yml", "model-index.json", "i.md", "F", "x/"])
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@settings(QUIET, max_examples=250)
@given(tree=TREES, part=TREES)
def test_random_trees(tmp_path: Path, tree: Any, part: Any) -> None:
    make(tmp_path, {"model-index.json": json.dumps(tree), "a.yml": json.dumps(part)})
    check(load_index([tmp_path / "model-index.json"], tmp_path))


@settings(QUIET, max_examples=200)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    for name in ("x.yml", "x.json", "x.md"):
        make(tmp_path, {name: data})
        check(load_index([tmp_path / name], tmp_path))
