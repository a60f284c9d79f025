"""The reference library (``model-index`` 0.1.11): equal where it is right, and right where it is broken."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.modelindex.helpers import DATA, clean, load, make, metadata, metrics, names, one, only, plain, where
from tools.modelindex import load_index
from tools.modelindex.records import Index


def oracle(path: Path) -> Any:
    """What the reference library makes of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import modelindex

        return modelindex.load(str(path))


def as_text(value: Any) -> Any:
    """The reference library's converted values, as text with our keys."""
    if isinstance(value, dict):
        return {" ".join(str(key).replace("_", " ").casefold().split()): as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return None if value is None else str(value)


def assert_equal(index: Index, reference: Any) -> None:
    assert names(index) == [model.name for model in reference.models]
    for ours, theirs in zip(index.models, reference.models, strict=True):
        full = theirs.full_model
        assert metadata(ours) == as_text(full.metadata.data if full.metadata else {})
        theirs_results = [as_text(result.data) for result in full.results or []]
        assert [(plain(each.task), plain(each.dataset)) for each in ours.results] == [
            (each["task"], each["dataset"]) for each in theirs_results
        ]
        assert [as_text(each) for each in metrics(ours)] == [each["metrics"] for each in theirs_results]
        for field in ("code", "weights", "config"):
            assert plain(getattr(ours, field)) == getattr(full, field)
        assert plain(ours.fields["paper"].value if "paper" in ours.fields else None) == as_text(full.paper)


def test_equal_on_a_real_card() -> None:
    assert_equal(clean(load_index([DATA / "tf-mixnet.md"], DATA)), oracle(DATA / "tf-mixnet.md"))


FILES = {
    "model-index.yml": "Import:\n- parts/*.yml\n- card.md\nLibrary: {Name: Zoo}\n",
    "parts/a.yml": "Models:\n- Name: a\n  Metadata: meta/a.yml\n  Results: meta/results.json\n  In Collection: F\n",
    "parts/b.yml": "Collections:\n- Name: F\n  Paper: https://example.org/p\n  Code: https://example.org/c\n",
    "parts/meta/a.yml": "Metadata:\n  FLOPs: 5\n  Architecture: [x, y]\n",
    "parts/meta/results.json": (
        '{"Results": [{"Task": {"Name": "T"}, "Dataset": "D", "Metrics": [{"name": "M", "value": "1%"}]}]}'
    ),
    "card.md": "# C\n\n<!--\nType: model-index\nModels:\n- Name: c\n  Weights: https://example.org/w\n-->\n",
}


def test_equal_on_imports_of_every_kind(tmp_path: Path) -> None:
    index = clean(load(tmp_path, FILES))
    assert_equal(index, oracle(tmp_path / "model-index.yml"))


# One test for every line of "where the reference library is broken".


def test_errors_are_problems_and_not_only_printed(tmp_path: Path) -> None:
    assert where(one(tmp_path, "Models:\n- Name:\n")) == ["model-index.yml:2:3 missing-name"]


def test_import_of_one_path_is_not_split_into_characters(tmp_path: Path) -> None:
    index = clean(load(tmp_path, {"model-index.yml": "Import: a.yml\n", "a.yml": "Models: [{Name: a}]\n"}))
    assert names(index) == ["a"]


@pytest.mark.parametrize("field", ["Import: 'x/*.yml'", "Models: 'x/*.yml'", "Models: [{Name: a, Results: 'x/*.yml'}]"])
def test_an_empty_glob_is_not_silent(tmp_path: Path, field: str) -> None:
    assert only(one(tmp_path, field + "\n"), "empty-glob").place.line == 1


def test_two_stars_are_recursive(tmp_path: Path) -> None:
    files = {
        f"c/{folder}{name}.md": f"<!--\nModels: [{{Name: {name}}}]\n-->" for folder, name in (("", "a"), ("d/e/", "b"))
    }
    assert names(clean(load(tmp_path, {"model-index.yml": "Import: c/**/*.md\n", **files}))) == ["a", "b"]


def test_mdx_is_read(tmp_path: Path) -> None:
    files = {
        "model-index.yml": "Import: a.mdx\n",
        "a.mdx": "import X from 'x'\n\n<!--\nModels: [{Name: a}]\n-->\n<X/>\n",
    }
    assert names(clean(load(tmp_path, files))) == ["a"]


def test_a_list_of_collections_is_read(tmp_path: Path) -> None:
    text = "Collections: [{Name: F, Code: https://example.org}]\nModels: [{Name: a, In Collection: [F]}]\n"
    assert plain(clean(one(tmp_path, text)).models[0].code) == "https://example.org"


def test_an_unknown_collection_under_a_lower_case_key_is_a_problem(tmp_path: Path) -> None:
    assert only(one(tmp_path, "models: [{name: a, in collection: F}]\n"), "unknown-collection")


def test_a_mapping_as_metadata_in_both_collection_and_model_is_merged(tmp_path: Path) -> None:
    family = "Collections: [{Name: F, Metadata: {X: {A: 1, B: 1}}}]\n"
    text = family + "Models: [{Name: a, In Collection: F, Metadata: {X: {B: 2}}}]\n"
    assert metadata(clean(one(tmp_path, text)).models[0]) == {"x": {"a": "1", "b": "2"}}


def test_models_null_is_an_empty_list(tmp_path: Path) -> None:
    index = clean(one(tmp_path, "Models:\nCollections: null\nLibrary: ~\nImport:\n"))
    assert (index.models, index.collections) == ((), ())


def test_an_import_cycle_is_a_problem(tmp_path: Path) -> None:
    files = {
        "model-index.yml": "Import: a.yml\nModels: [{Name: m}]\n",
        "a.yml": "Import: b.yml\nModels: [{Name: a}]\n",
        "b.yml": "Models: [{Name: b}]\nImport: ./model-index.yml\n",
    }
    index = load(tmp_path, files)
    problem = only(index, "import-cycle")
    assert str(problem.place) == "b.yml:2:9"
    assert "model-index.yml -> a.yml -> b.yml -> model-index.yml" in problem.message
    assert sorted(names(index)) == ["a", "b", "m"]


def test_broken_yaml_in_a_comment_does_not_vanish(tmp_path: Path) -> None:
    assert only(one(tmp_path, "<!--\nType: model-index\nModels: [\n-->\n", "a.md"), "unreadable").place.line == 4
    assert only(one(tmp_path, "<!--\nModels:\n- Name: 'a\n-->\n", "a.md"), "unreadable").place.line == 4


def test_front_matter_does_not_hide_comments(tmp_path: Path) -> None:
    card = "---\ntitle: T\n---\n\n<!--\nType: model-index\nModels: [{Name: a}]\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_examples_in_fences_are_not_parsed(tmp_path: Path) -> None:
    card = "```\n<!--\nType: model-index\nModels: [{Name: x}]\n-->\n```\n<!--\nModels: [{Name: a}]\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_duplicate_names_do_not_pass_unnoticed(tmp_path: Path) -> None:
    files = {
        "model-index.yml": "Import: [a.yml, b.yml]\n",
        "a.yml": "Models: [{Name: x}]\n",
        "b.yml": "Models: [{Name: x}]\n",
    }
    problem = only(load(tmp_path, files), "duplicate-model")
    assert (str(problem.place), problem.model) == ("b.yml:1:17", "x")
    assert "a.yml:1:17" in problem.message


def test_wrong_numbers_and_weights_keep_their_text_and_place_for_the_rules(tmp_path: Path) -> None:
    text = "Models:\n- Name: a\n  Weights: banana split\n  Metadata:\n    FLOPs: banana\n    Parameters: -1\n"
    model = clean(one(tmp_path, text)).models[0]
    assert metadata(model) == {"flops": "banana", "parameters": "-1"}
    assert model.weights is not None
    assert str(model.metadata["parameters"].value.place) == "model-index.yml:6:17"


def test_misspelt_fields_do_not_pass_unnoticed(tmp_path: Path) -> None:
    assert (
        only(one(tmp_path, "Models:\n- Name: a\n  Metadta: {}\n"), "misspelt-field").hint == "Did you mean 'Metadata'?"
    )


def test_the_same_files_through_a_symlinked_root(tmp_path: Path) -> None:
    make(tmp_path / "real", FILES)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    through = clean(load_index([tmp_path / "link" / "model-index.yml"], tmp_path / "link"))
    direct = clean(load_index([tmp_path / "real" / "model-index.yml"], tmp_path / "link"))
    assert list(through.files) == list(direct.files) == [
        "model-index.yml", "parts/a.yml", "parts/meta/a.yml", "parts/meta/results.json", "parts/b.yml", "card.md",
    ]  # fmt: skip
