"""The checklist's section "Files": which files are read, and every form in which one names another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.modelindex.helpers import clean, entries, load, metadata, metrics, names, one, only, plain, where

MODEL = "Name: alpha\nMetadata:\n  FLOPs: 5\n"
MODELS = "Models:\n- Name: alpha\n- Name: beta\n"


@pytest.mark.parametrize("name", ["model-index.yml", "model-index.yaml"])
def test_a_folder_means_its_index(tmp_path: Path, name: str) -> None:
    index = clean(load(tmp_path, {f"docs/{name}": MODELS, "docs/card.md": "<!--\nType: model-index\n-->"}, "docs"))
    assert names(index) == ["alpha", "beta"]
    assert list(index.files) == [f"docs/{name}"]


def test_a_folder_without_index_means_its_typed_pages(tmp_path: Path) -> None:
    typed = "<!--\nType: model-index\nModels:\n- Name: a\n-->"
    files = {
        "docs/deep/a.md": typed,
        "docs/b.mdx": typed.replace("a\n", "b\n"),
        "docs/c.md": "<!--\nModels:\n- Name: c\n-->",
    }
    assert sorted(names(clean(load(tmp_path, files, "docs")))) == ["a", "b"]


def test_a_folder_without_anything_is_a_problem(tmp_path: Path) -> None:
    index = load(tmp_path, {"docs/page.md": "# Prose\n"}, "docs")
    assert where(index) == ["docs:1:1 missing-import"]


@pytest.mark.parametrize("suffix", ["yml", "yaml", "json", "md", "mdx"])
def test_every_kind_of_file_is_read(tmp_path: Path, suffix: str) -> None:
    content = {
        "json": json.dumps({"Models": [{"Name": "alpha"}, {"Name": "beta"}]}),
        "md": f"# Page\n\n<!--\n{MODELS}-->\n",
    }
    content["mdx"] = content["md"]
    assert names(clean(one(tmp_path, content.get(suffix, MODELS), f"any.{suffix}"))) == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("text", "models", "collections", "library"),
    [
        (MODELS, ["alpha", "beta"], [], {}),
        (MODEL, ["alpha"], [], {}),
        ("Model:\n  Name: alpha\n  Code: https://example.org\n", ["alpha"], [], {}),
        ("- Name: alpha\n- Name: beta\n", ["alpha", "beta"], [], {}),
        ("Collection:\n  Name: Family\n", [], ["Family"], {}),
        ("Collections:\n- Name: Family\n", [], ["Family"], {}),
        ("Name: Zoo\nHeadline: All of them\n", [], [], {"name": "Zoo", "headline": "All of them"}),
        ("FLOPs: 5\nParameters: 6\n", [], [], {}),
        ("Task: T\nDataset: D\nMetrics: {M: 1}\n", [], [], {}),
    ],
    ids=["index", "model", "wrapped model", "models", "collection", "collections", "library", "metadata", "result"],
)  # fmt: skip
def test_what_a_file_holds_is_told_from_its_content(
    tmp_path: Path, text: str, models: list[str], collections: list[str], library: dict[str, str]
) -> None:
    index = clean(one(tmp_path, text, "any.yml"))
    assert names(index) == models
    assert [collection.name.text for collection in index.collections] == collections
    assert entries(index.library) == library


def test_keys_are_matched_without_case_and_with_underscores(tmp_path: Path) -> None:
    text = (
        "MODELS:\n- name: alpha\n  in_collection: Family\n  METADATA: {file_size: 7, Training  Data: ImageNet}\n"
        "  results: {TASK: T, dataset: D, Metrics: {top_1: 1}}\ncollections:\n- NAME: Family\n  paper: https://example.org/p\n"
    )
    model = clean(one(tmp_path, text)).models[0]
    assert metadata(model) == {"file size": "7", "training data": "ImageNet"}
    assert model.paper is not None
    assert metrics(model) == [{"top_1": "1"}]


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    text = "Models:\n- Name: alpha\n  Mood: good\n  Metadata:\n    Colour: [red, green]\n"
    model = clean(one(tmp_path, text)).models[0]
    assert plain(model.fields["mood"].value) == "good"
    assert metadata(model) == {"colour": ["red", "green"]}


@pytest.mark.parametrize(
    "imports",
    ["a.yml", "[a.yml, sub/b.json, sub/deep/c.md]", "'**/?.*'", "[a.yml, 'sub/*.json', 'sub/**/*.md']", "nested.yml"],
    ids=["path", "list", "recursive glob", "mixed", "nested"],
)
def test_import(tmp_path: Path, imports: str) -> None:
    files = {
        "model-index.yml": f"Import: {imports}\n",
        "nested.yml": "Import:\n- a.yml\n- sub/nested.yaml\n",
        "sub/nested.yaml": "Import: [b.json, deep/c.md]\n",
        "a.yml": "Models:\n- Name: a\n",
        "sub/b.json": '{"Models": [{"Name": "b"}]}',
        "sub/deep/c.md": "<!--\nModels:\n- Name: c\n-->",
    }
    assert names(clean(load(tmp_path, files))) == (["a"] if imports == "a.yml" else ["a", "b", "c"])


def test_a_file_that_is_imported_twice_counts_once(tmp_path: Path) -> None:
    files = {
        "model-index.yml": "Import: [a.yml, '*.yml', b.yml]\n",
        "a.yml": "Models: [{Name: a}]\n",
        "b.yml": "Import: a.yml\n",
    }
    assert names(clean(load(tmp_path, files))) == ["a"]


@pytest.mark.parametrize(
    "form",
    [
        "[{Name: a}, {Name: b}, {Name: c}]",
        "[a.yml, b.yml, c.md]",
        "'parts/*'",
        "['parts/a*', {Name: b}, c.md]",
        "bare.yml",
        "wrapped.json",
        "[paths.yml]",
        "{Models: [a.yml, b.yml, c.md]}",
    ],
)
@pytest.mark.parametrize("field", ["Models", "Collections"])
def test_models_and_collections(tmp_path: Path, field: str, form: str) -> None:
    part = "Name: {0}\n"
    files = {
        "model-index.yml": f"{field}: {form.replace('Models', field)}\n",
        "bare.yml": "- Name: a\n- Name: b\n- Name: c\n",
        "wrapped.json": json.dumps({field: [{"Name": "a"}, {"Name": "b"}, {"Name": "c"}]}),
        "paths.yml": "[a.yml, parts/b.yml, c.md]\n",
    }
    for folder in ("", "parts/"):
        files |= {f"{folder}{name}.yml": part.format(name) for name in "ab"}
        files[f"{folder}c.md"] = "<!--\nType: model-index\nName: c\n-->"
    index = clean(load(tmp_path, files))
    found = index.models if field == "Models" else index.collections
    assert [each.name.text for each in found] == ["a", "b", "c"]
    assert len(index.models) + len(index.collections) == 3


def test_a_single_model_needs_no_list(tmp_path: Path) -> None:
    assert names(clean(one(tmp_path, "Models:\n  Name: alpha\n"))) == ["alpha"]


def test_cards_listed_under_models_bring_their_collections(tmp_path: Path) -> None:
    family = "Collections:\n- Name: F\n  Paper: https://example.org/p\n"
    card = f"<!--\nType: model-index\n{family}Models:\n- Name: a\n  In Collection: F\n-->"
    index = clean(load(tmp_path, {"model-index.yml": "Models: '*.md'\n", "a.md": card}))
    assert index.models[0].paper is not None


@pytest.mark.parametrize(
    "form",
    [
        "{FLOPs: 5, ID: a}",
        "meta.yml",
        "wrapped.json",
        "[{FLOPs: 5}, {ID: a}]",
        "[{FLOPs: 4, ID: a}, flops.yml]",
        "{Metadata: {FLOPs: 5, ID: a}}",
        "page.md",
    ],
)
def test_metadata(tmp_path: Path, form: str) -> None:
    files = {
        "model-index.yml": f"Models:\n- Name: a\n  Metadata: {form}\n",
        "meta.yml": "FLOPs: 5\nID: a\n",
        "wrapped.json": '{"Metadata": {"FLOPs": 5, "ID": "a"}}',
        "flops.yml": "Metadata: {FLOPs: 5}\n",
        "page.md": "<!--\nType: model-index\nMetadata: {FLOPs: 5, ID: a}\n-->",
    }
    index = clean(load(tmp_path, files))
    assert metadata(index.models[0]) == {"flops": "5", "id": "a"}


@pytest.mark.parametrize(
    ("form", "count"),
    [
        ("[{Task: T, Dataset: D, Metrics: {M: 1}}, {Task: T, Dataset: D, Metrics: {M: 2}}]", 2),
        ("{Task: T, Dataset: D, Metrics: {M: 1}}", 1),
        ("list.yml", 2),
        ("wrapped.yml", 2),
        ("[single.yml, {Task: T, Dataset: D, Metrics: {M: 2}}]", 2),
        ("'sing*.yml'", 1),
        ("['sing*.yml', wrapped.yml]", 3),
    ],
)
def test_results(tmp_path: Path, form: str, count: int) -> None:
    single = "Task: T\nDataset: D\nMetrics: {M: 1}\n"
    both = "- {Task: T, Dataset: D, Metrics: {M: 1}}\n- {Task: T, Dataset: D, Metrics: {M: 2}}\n"
    files = {
        "model-index.yml": f"Models:\n- Name: a\n  Results: {form}\n",
        "single.yml": single,
        "list.yml": both,
        "wrapped.yml": f"Results:\n{both}",
    }
    found = metrics(clean(load(tmp_path, files)).models[0])
    assert found == [{"M": "1"}, {"M": "1"}, {"M": "2"}][-count if count != 1 else 0 :][:count]


@pytest.mark.parametrize("form", ["Library: {NAME}", "Library: lib.yml", "Library: wrapped.yml", "Import: wrapped.yml"])
def test_library(tmp_path: Path, form: str) -> None:
    fields = (
        "Name: Zoo, Headline: h, Website: w, Repository: r, Docs: d, README: Text, Image: https://example.org/i.png"
    )
    files = {
        "model-index.yml": form.replace("NAME", fields) + "\n",
        "lib.yml": f"{{{fields}}}\n",
        "wrapped.yml": f"Library: {{{fields}}}\n",
    }
    library = entries(clean(load(tmp_path, files)).library)
    assert list(library) == ["name", "headline", "website", "repository", "docs", "readme", "image"]
    assert library["name"] == "Zoo"


def test_readme_is_a_path_or_the_text_itself(tmp_path: Path) -> None:
    text = "Models:\n- {Name: a, README: pages/a.md}\n- {Name: b, README: Read all of it}\n- {Name: c, README: no.md}\n"
    index = load(tmp_path, {"sub/i.yml": text, "sub/pages/a.md": "# A page with words\n"}, "sub/i.yml")
    assert where(index) == ["sub/i.yml:4:21 missing-import"]
    assert [model.page for model in index.models] == ["sub/pages/a.md", None, None]
    assert index.files["sub/pages/a.md"].text == "# A page with words\n"


def test_image_is_a_path_or_a_url(tmp_path: Path) -> None:
    text = (
        "Models:\n- {Name: a, Image: https://example.org/a.png}\n- {Name: b, Image: a.png}\n- {Name: c, Image: c.png}\n"
    )
    index = load(tmp_path, {"i.yml": text, "a.png": b"\x89PNG"}, "i.yml")
    assert where(index) == ["i.yml:4:20 missing-import"]


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    files = {
        "model-index.yml": "Import: sub/index.yml\n",
        "sub/index.yml": "Models:\n- Name: a\n  Metadata: ../meta.yml\n",
        "meta.yml": "FLOPs: 5\n",
    }
    model = clean(load(tmp_path, files)).models[0]
    assert str(model.metadata["flops"].value.place) == "meta.yml:1:8"


def test_a_missing_index_is_a_located_problem(tmp_path: Path) -> None:
    assert where(load(tmp_path, {}, "nowhere.yml")) == ["nowhere.yml:1:1 missing-import"]


def test_the_nearest_file_is_named(tmp_path: Path) -> None:
    index = load(tmp_path, {"model-index.yml": "Import: cards/mixnets.md\n", "cards/mixnet.md": ""})
    problem = only(index, "missing-import")
    assert problem.hint == "Did you mean 'cards/mixnet.md'?"


def test_an_imported_file_that_holds_only_a_part_is_a_problem(tmp_path: Path) -> None:
    index = load(tmp_path, {"model-index.yml": "Import: meta.yml\n", "meta.yml": "FLOPs: 5\n"})
    assert only(index, "wrong-type").hint == "Name the file under the model's Metadata."


def test_an_imported_file_without_anything_is_a_problem(tmp_path: Path) -> None:
    index = load(tmp_path, {"model-index.yml": "Import: [a.md, b.yml]\n", "a.md": "# Prose\n", "b.yml": "# nothing\n"})
    assert where(index) == ["model-index.yml:1:10 wrong-type", "model-index.yml:1:16 wrong-type"]


def test_pages_without_metadata_may_match_a_glob(tmp_path: Path) -> None:
    files = {"model-index.yml": "Import: '*.md'\n", "a.md": "# Prose\n", "b.md": "<!--\nModels:\n- Name: b\n-->"}
    assert names(clean(load(tmp_path, files))) == ["b"]
