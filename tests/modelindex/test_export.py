"""The merged index in one file, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.modelindex.helpers import DATA, clean, entries, load, make, metadata, metrics, one, plain
from tools.modelindex import load_index
from tools.modelindex.export import FORMATS, export
from tools.modelindex.export_csv import CSV_COLUMNS
from tools.modelindex.records import Index, Value


def content(index: Index) -> Any:
    """Everything that an index says, places left out."""
    return (
        entries(index.library),
        [
            (c.name.text, entries(c.metadata), [entries(r.fields) for r in c.results], paper(c), fields(c.fields))
            for c in index.collections
        ],
        [
            (
                m.name.text, m.page, metadata(m), [x.text for x in m.collections], paper(m), fields(m.fields),
                [(plain(r.task), plain(r.dataset), r.inherited_from, entries(r.fields)) for r in m.results], metrics(m),
                [plain(v) for v in (m.code, m.weights, m.config)],
                [(key, entry.inherited_from, quoted(entry.value)) for key, entry in sorted(m.metadata.items())],
            )
            for m in index.models
        ],
    )  # fmt: skip


def fields(of: Any) -> Any:
    found = entries(of)
    return {
        key: value
        for key, value in found.items()
        if key not in ("type", "metadata", "results", "readme") and value is not None
    }


def paper(of: Any) -> Any:
    return of.paper and (plain(of.paper.title), plain(of.paper.url), of.paper.arxiv_id)


def quoted(value: Value) -> bool | None:
    return getattr(value, "quoted", None)


def test_the_formats() -> None:
    assert FORMATS == ("model-index", "huggingface", "json", "csv")
    with pytest.raises(ValueError, match="unknown format 'xml'"):
        export(load_index([], DATA), "xml")


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_index(form: str, tmp_path: Path) -> None:
    text = export(load_index([], tmp_path), form)
    assert text.endswith("\n")


FILES = {
    "docs/model-index.yml": "Import: [cards/*.md, lib.yml]\nCollections: fam.yml\nModels: models.json\n",
    "docs/lib.yml": "Library: {Name: Zoo, README: about.md, Image: zoo.png, Mood: good}\n",
    "docs/about.md": "# About\n",
    "docs/zoo.png": "",
    "docs/fam.yml": (
        "Collections:\n- Name: F\n  Paper: 1907.09595\n  Metadata: meta.yml\n  Results: results.yml\n"
        "  Extra: {x: [1, '2']}\n  Tags: [one]\n"
    ),
    "docs/meta.yml": "Metadata: {Architecture: [Conv], Training Data: ImageNet, Odd: {a: {b: '~'}}}\n",
    "docs/results.yml": "- {Task: {name: T, type: t}, Dataset: {type: d, name: D}, Metrics: [{type: m, value: 1}]}\n",
    "docs/models.json": json.dumps(
        {
            "Models": [
                {
                    "Name": "j", "Config": "cfg.py", "Image": "zoo.png", "README": "about.md",
                    "Metadata": ["meta.yml", {"ID": "1e3"}],
                }
            ]
        }
    ),
    "docs/cfg.py": "",
    "docs/cards/a.md": (
        "<!--\nType: model-index\nModels:\n- Name: a\n  In Collection: [F]\n  Tags: [two]\n  Metadata:\n"
        "    Architecture:\n    - Swish\n    Odd: {a: {c: no}}\n    Time: 12:30\n    Empty:\n    Quoted: '5'\n"
        "    Code: |\n      two\n      lines\n"
        "  Results: {Task: T2, Dataset: D2, Metrics: {Top 1: 70%, Deep: {x: 1}}}\n-->\n"
    ),
}  # fmt: skip


def test_model_index_round_trip(tmp_path: Path) -> None:
    index = clean(load(tmp_path, FILES, "docs"))
    text = export(index, "model-index")
    again = clean(load(tmp_path, {"exported.yml": text}, "exported.yml"))
    ours, theirs = content(index), content(again)
    # The library's paths are as seen from the root now.
    assert theirs[0] == {**ours[0], "readme": "docs/about.md", "image": "docs/zoo.png"}
    theirs[2][1][5].update(image="zoo.png", config="cfg.py")
    theirs[2][1][8][2] = "cfg.py"
    assert ours[1:] == theirs[1:]
    assert export(again, "model-index") == text


def test_a_real_card_round_trips(tmp_path: Path) -> None:
    make(tmp_path, {"docs/tf-mixnet.md": (DATA / "tf-mixnet.md").read_bytes()})
    index = load_index([tmp_path / "docs/tf-mixnet.md"], tmp_path)
    text = export(index, "model-index")
    assert content(clean(load(tmp_path, {"exported.yml": text}, "exported.yml"))) == content(index)
    assert "FLOPs: 688674516\n" in text
    assert "Crop Pct: '0.875'\n" in text


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda text: text.strip() != "")
LEAF = st.one_of(TEXT, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
TREE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
RESULT = st.fixed_dictionaries(
    {"Task": TEXT, "Dataset": TEXT, "Metrics": st.dictionaries(TEXT, LEAF, min_size=1, max_size=3)}
)
MODEL = st.fixed_dictionaries(
    {"Name": TEXT, "Metadata": st.dictionaries(TEXT, TREE, max_size=4), "Results": st.lists(RESULT, max_size=2)},
    optional={"In Collection": st.just("F"), "Paper": TEXT, "Weights": TEXT, "Custom": TREE},
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(MODEL, max_size=3), st.dictionaries(TEXT, TREE, max_size=3))
def test_any_index_round_trips(tmp_path: Path, models: list[Any], shared: dict[str, Any]) -> None:
    document = {"Collections": [{"Name": "F", "Metadata": shared}], "Models": models}
    index = one(tmp_path, json.dumps(document, ensure_ascii=False), "i.json")
    text = export(index, "model-index")
    again = one(tmp_path, text, "exported.yml")
    ours, theirs = content(index), content(again)
    # What has a value in quotes in JSON needs none in YAML, and the order of merged keys is of no matter.
    assert [model[:2] + model[2:9] for model in theirs[2]] == [model[:2] + model[2:9] for model in ours[2]]
    assert theirs[:2] == ours[:2]
    for form in FORMATS:
        assert export(index, form)


REQUIRED = {"task": ["type"], "dataset": ["type", "name"]}


def validate(text: str) -> list[Any]:
    """The models of Hugging Face front matter, after its required fields are seen to be there."""
    opening, body, closing = text.partition("---\n")[1], text.split("---\n")[1], text.split("---\n")[2]
    assert (opening, closing) == ("---\n", "")
    models: list[Any] = yaml.safe_load(body)["model-index"]
    for model in models:
        assert isinstance(model["name"], str)
        for result in model["results"]:
            for part, needed in REQUIRED.items():
                for field in needed:
                    assert isinstance(result[part][field], str)
                    assert result[part][field]
            assert result["metrics"]
            for metric in result["metrics"]:
                assert metric["type"]
                assert metric["value"] is not None
    return models


def test_hugging_face_has_all_required_fields() -> None:
    models = validate(export(load_index([DATA / "tf-mixnet.md"], DATA), "huggingface"))
    assert [model["name"] for model in models] == ["tf_mixnet_l", "tf_mixnet_m", "tf_mixnet_s"]
    assert models[0]["results"] == [
        {
            "task": {"type": "image-classification", "name": "Image Classification"},
            "dataset": {"type": "imagenet", "name": "ImageNet"},
            "metrics": [
                {"type": "top-1-accuracy", "name": "Top 1 Accuracy", "value": "78.78%"},
                {"type": "top-5-accuracy", "name": "Top 5 Accuracy", "value": "94.0%"},
            ],
        }
    ]


def test_hugging_face_keeps_the_types_that_were_given(tmp_path: Path) -> None:
    header = (
        "---\nmodel-index:\n- name: a\n  results:\n  - task: {type: tt, name: T}\n"
        "    dataset: {type: dd, name: D, split: validation}\n    metrics: [{type: acc, name: M, value: 75.99}]\n---\n"
    )
    result = validate(export(clean(one(tmp_path, header, "a.md")), "huggingface"))[0]["results"][0]
    assert result == {
        "task": {"type": "tt", "name": "T"},
        "dataset": {"type": "dd", "name": "D", "split": "validation"},
        "metrics": [{"type": "acc", "name": "M", "value": 75.99}],
    }


def test_hugging_face_leaves_out_what_is_not_stated_and_says_so(tmp_path: Path) -> None:
    text = "Models:\n- Name: a\n  Results:\n  - {Metrics: {M: 1}}\n  - {Task: T, Dataset: D, Metrics: {M: 1}}\n"
    exported = export(one(tmp_path, text), "huggingface")
    assert len(validate(exported)[0]["results"]) == 1
    assert "# a: a result without Task and Dataset (model-index.yml:4:5)\n" in exported


def test_json(tmp_path: Path) -> None:
    document = json.loads(export(clean(load(tmp_path, FILES, "docs")), "json"))
    assert list(document) == ["schema", "library", "collections", "models"]
    a, j = document["models"]
    assert (a["name"], a["file"], a["line"], a["page"]) == ("a", "docs/cards/a.md", 4, "docs/cards/a.md")
    assert a["paper"] == {"title": None, "url": "1907.09595", "arxiv_id": "1907.09595"}
    assert a["metadata"]["Architecture"] == ["Conv", "Swish"]
    assert (a["metadata"]["Time"], a["metadata"]["Empty"], a["metadata"]["Quoted"]) == ("12:30", None, "5")
    assert a["results"][0]["inherited_from"] == "F"
    assert a["results"][1]["metrics"] == {"Top 1": "70%", "Deep": {"x": 1}}
    assert a["fields"] == {"Tags": ["one", "two"], "Extra": {"x": [1, "2"]}}
    assert j["config"] == "cfg.py"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("5", 5), ("-5", -5), ("0.875", 0.875), ("0.8750", "0.8750"), ("1e3", "1e3"), ("007", "007"), ("'5'", "5"),
     ("123456789012345678901", "123456789012345678901"), ("78%", "78%"), ("no", "no"), ("~", None), ("12:30", "12:30")],
)  # fmt: skip
def test_json_loses_no_digit(tmp_path: Path, written: str, shown: object) -> None:
    index = clean(one(tmp_path, f"Models: [{{Name: a, Metadata: {{X: {written}}}}}]\n"))
    found = json.loads(export(index, "json"))["models"][0]["metadata"]["X"]
    assert (found, type(found)) == (shown, type(shown))


def test_csv_has_stable_columns_and_one_row_a_model() -> None:
    rows = list(csv.DictReader(io.StringIO(export(load_index([DATA / "tf-mixnet.md"], DATA), "csv"))))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert [row["name"] for row in rows] == ["tf_mixnet_l", "tf_mixnet_m", "tf_mixnet_s"]
    first = rows[0]
    assert (first["flops"], first["top 1 accuracy"], first["crop pct"]) == ("688674516", "78.78%", "0.875")
    assert (first["file"], first["line"]) == ("tf-mixnet.md", "34")
    assert first["training data"] == "ImageNet"
    assert first["architecture"].startswith("Batch Normalization; Dense Connections; ")


@pytest.mark.parametrize("evil", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_csv_holds_no_formula(tmp_path: Path, evil: str) -> None:
    index = load(tmp_path, {"i.json": json.dumps({"Name": evil, "Metadata": {"ID": "x", "FLOPs": evil}})}, "i.json")
    row = next(iter(csv.DictReader(io.StringIO(export(index, "csv"), newline=""))))
    assert (row["name"], row["flops"]) == ("'" + evil, "'" + evil)


def test_csv_leaves_numbers_alone(tmp_path: Path) -> None:
    index = clean(one(tmp_path, "Models: [{Name: a, Metadata: {FLOPs: -1, Parameters: '+2.5'}}]\n"))
    row = next(iter(csv.DictReader(io.StringIO(export(index, "csv")))))
    assert (row["flops"], row["parameters"]) == ("-1", "+2.5")
