"""The checklist's section "Fields": what a model, its metadata, results, paper and collections hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modelindex.helpers import clean, entries, metadata, metrics, one, only, plain, text_at, where
from tools.modelindex.drafts import arxiv_id
from tools.modelindex.fields import METADATA, standard_form, suggestion
from tools.modelindex.records import canonical


def test_model_fields(tmp_path: Path) -> None:
    text = (
        "Models:\n- Name: a\n  Paper: https://arxiv.org/abs/1907.09595\n  Code: https://example.org/c\n"
        "  Weights: https://example.org/w.pth\n  Config: https://example.org/c.py\n  README: Words\n"
        "  Image: https://example.org/i.png\n  In Collection: F\nCollections: [{Name: F}]\n"
    )
    model = clean(one(tmp_path, text)).models[0]
    assert [plain(value) for value in (model.name, model.code, model.weights, model.config)] == [
        "a",
        "https://example.org/c",
        "https://example.org/w.pth",
        "https://example.org/c.py",
    ]
    assert [name.text for name in model.collections] == ["F"]
    assert str(model.place) == "model-index.yml:2:9"
    assert list(model.fields) == [
        "name", "paper", "code", "weights", "config", "readme", "image", "in collection",
    ]  # fmt: skip


def test_all_metadata_fields_of_the_format_are_known(tmp_path: Path) -> None:
    fields = "".join(f"    {name}: '1'\n" for name in METADATA)
    model = clean(one(tmp_path, f"Models:\n- Name: a\n  Metadata:\n{fields}")).models[0]
    assert list(model.metadata) == [canonical(name) for name in METADATA]


def test_scalars_are_never_converted(tmp_path: Path) -> None:
    fields = "    Training Time: 12:30\n    A: 0o17\n    B: 1_000\n    C: 2026-01-02\n    D: 1e3\n    E: ''\n"
    text = f"Models:\n- Name: no\n  Metadata:\n{fields}"
    model = clean(one(tmp_path, text)).models[0]
    assert model.name.text == "no"
    assert list(metadata(model).values()) == ["12:30", "0o17", "1_000", "2026-01-02", "1e3", ""]


@pytest.mark.parametrize("written", ["", " ~", " null", " NULL"])
def test_nothing_is_no_value(tmp_path: Path, written: str) -> None:
    model = clean(
        one(tmp_path, f"Models:\n- Name: a\n  Weights:{written}\n  Metadata:{written}\n  Paper:{written}\n")
    ).models[0]
    assert (model.weights, model.paper, metadata(model)) == (None, None, {})


def test_code_may_be_a_mapping_with_a_url(tmp_path: Path) -> None:
    text = "Models:\n- Name: a\n  Code:\n    URL: https://example.org/c\n    Version: v2\n"
    assert plain(clean(one(tmp_path, text)).models[0].code) == "https://example.org/c"


@pytest.mark.parametrize(
    ("paper", "title", "url", "arxiv"),
    [
        ("https://arxiv.org/abs/1907.09595v2", None, "https://arxiv.org/abs/1907.09595v2", "1907.09595"),
        ("https://arxiv.org/pdf/1907.09595.pdf", None, "https://arxiv.org/pdf/1907.09595.pdf", "1907.09595"),
        ("http://www.arxiv.org/pdf/1907.09595", None, "http://www.arxiv.org/pdf/1907.09595", "1907.09595"),
        ("https://arxiv.org/abs/cs.LG/0102003", None, "https://arxiv.org/abs/cs.LG/0102003", "cs.LG/0102003"),
        ("1907.09595", None, "1907.09595", "1907.09595"),
        ("arXiv:1907.09595v3", None, "arXiv:1907.09595v3", "1907.09595"),
        ("https://example.org/p", None, "https://example.org/p", None),
        ("{Title: M, URL: https://arxiv.org/abs/1907.09595}", "M", "https://arxiv.org/abs/1907.09595", "1907.09595"),
        ("{Title: MixConv, URL: 1907.09595}", "MixConv", "1907.09595", "1907.09595"),
        ("{Title: MixConv}", "MixConv", None, None),
        ("A title alone", "A title alone", None, None),
    ],
)  # fmt: skip
def test_paper(tmp_path: Path, paper: str, title: str | None, url: str | None, arxiv: str | None) -> None:
    found = clean(one(tmp_path, f"Models:\n- Name: a\n  Paper: {paper}\n")).models[0].paper
    assert found is not None
    assert (plain(found.title), plain(found.url), found.arxiv_id) == (title, url, arxiv)


def test_an_id_is_only_taken_from_arxiv(tmp_path: Path) -> None:
    assert arxiv_id("https://example.org/abs/1907.09595") is None
    assert arxiv_id("https://arxiv.org/list/1907.09595") is None
    assert arxiv_id("https://arxiv.org/abs/1907.095951234") is None


@pytest.mark.parametrize(
    "form",
    [
        "{Top 1: 76%, Top 5: 93%}",
        "[{Top 1: 76%}, {Top 5: 93%}]",
        "[{name: Top 1, value: 76%}, {Name: Top 5, Value: 93%}]",
        "[{type: Top 1, value: 76%}, {type: acc5, name: Top 5, value: 93%}]",
    ],
)
def test_metrics(tmp_path: Path, form: str) -> None:
    text = f"Models:\n- Name: a\n  Results:\n  - Task: T\n    Dataset: D\n    Metrics: {form}\n"
    assert metrics(clean(one(tmp_path, text)).models[0]) == [{"Top 1": "76%", "Top 5": "93%"}]


@pytest.mark.parametrize("form", ["N", "{name: N}", "{Name: N, Type: t}", "{type: N}"])
def test_task_and_dataset_are_a_name_or_a_mapping(tmp_path: Path, form: str) -> None:
    text = f"Models:\n- Name: a\n  Results: {{Task: {form}, Dataset: {form}, Metrics: {{M: 1}}}}\n"
    result = clean(one(tmp_path, text)).models[0].results[0]
    assert (plain(result.task), plain(result.dataset)) == ("N", "N")


FAMILY = """Collections:
- Name: F
  Paper: https://example.org/family
  Code: https://example.org/code
  README: About the family
  Metadata:
    Architecture: [Convolution, ReLU]
    Training Data: ImageNet
    Extra: {A: 1, B: 2}
  Results:
  - {Task: T, Dataset: D, Metrics: {M: 1}}
- Name: G
  Metadata: {Architecture: Attention, Epochs: 9, Training Data: JFT}
Models:
- Name: a
  In Collection: %s
  Code: https://example.org/own
  Metadata:
    Architecture: [Swish]
    Training Data: COCO
    Extra: {B: 3}
  Results:
  - {Task: T, Dataset: D, Metrics: {M: 2}}
- Name: b
  In Collection: F
"""


def test_collections_give_their_models(tmp_path: Path) -> None:
    index = clean(one(tmp_path, FAMILY % "F"))
    a, b = index.models
    assert metadata(a) == {
        "architecture": ["Convolution", "ReLU", "Swish"],
        "training data": "COCO",
        "extra": {"a": "1", "b": "3"},
    }
    assert metrics(a) == [{"M": "1"}, {"M": "2"}]
    assert [result.inherited_from for result in a.results] == ["F", None]
    assert plain(a.code) == "https://example.org/own"
    assert a.paper is not None
    assert a.paper == b.paper == index.collections[0].paper
    assert "readme" not in b.fields
    assert metadata(b) == entries(index.collections[0].metadata)
    assert {entry.inherited_from for entry in b.metadata.values()} == {"F"}
    assert a.metadata["training data"].inherited_from is None


def test_inherited_values_keep_their_place(tmp_path: Path) -> None:
    index = clean(one(tmp_path, FAMILY % "F"))
    a, b = index.models
    assert str(b.metadata["training data"].value.place) == "model-index.yml:8:20"
    assert text_at(index, b.metadata["training data"].value) == "ImageNet"
    assert str(a.metadata["architecture"].value.place) == "model-index.yml:19:19"


def test_of_several_collections_the_later_wins_and_lists_append(tmp_path: Path) -> None:
    a = clean(one(tmp_path, FAMILY % "[F, G]")).models[0]
    found = metadata(a)
    assert found["architecture"] == ["Convolution", "ReLU", "Attention", "Swish"]
    assert (found["epochs"], found["training data"]) == ("9", "COCO")
    assert [name.text for name in a.collections] == ["F", "G"]


def test_an_unknown_collection_is_a_problem_with_the_nearest_name(tmp_path: Path) -> None:
    text = "Collections: [{Name: MixNet, Paper: https://example.org/p}]\nModels:\n- {Name: a, In Collection: MixNt}\n"
    problem = only(one(tmp_path, text), "unknown-collection")
    assert (str(problem.place), problem.model, problem.hint) == ("model-index.yml:3:28", "a", "Did you mean 'MixNet'?")


def test_a_collection_in_other_case_is_a_problem_and_still_given(tmp_path: Path) -> None:
    text = "Collections: [{Name: MixNet, Paper: https://example.org/p}]\nModels:\n- {Name: a, In Collection: mixnet}\n"
    index = one(tmp_path, text)
    assert only(index, "unknown-collection").hint == "Write 'MixNet': names are matched exactly."
    assert index.models[0].paper is not None


def test_two_collections_of_one_name_are_a_problem(tmp_path: Path) -> None:
    index = one(tmp_path, "Collections: [{Name: F}, {Name: F}]\n")
    assert "model-index.yml:1:22" in only(index, "duplicate-model").message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Models: 5\n", "1:9"),
        ("Models:\n- 5\n", "2:3"),
        ("Models:\n- [a]\n", "2:3"),
        ("Collections: some\n", "1:14"),
        ("Library: [a]\n", "1:10"),
        ("Import: {a: b}\n", "1:9"),
        ("Models:\n- Name: [a]\n", "2:9"),
        ("Models:\n- Name: a\n  Metadata: many\n", "3:13"),
        ("Models:\n- Name: a\n  Metadata: [[x]]\n", "3:14"),
        ("Models:\n- Name: a\n  Metadata: {FLOPs: [1, 2]}\n", "3:21"),
        ("Models:\n- Name: a\n  Metadata: {File Size: {bytes: 3}}\n", "3:25"),
        ("Models:\n- Name: a\n  Results: fine\n", "3:12"),
        ("Models:\n- Name: a\n  Results: {Task: T, Dataset: D}\n", "3:12"),
        ("Models:\n- Name: a\n  Results: [{Task: T, Metrics: {M: 1}}]\n", "3:13"),
        ("Models:\n- Name: a\n  Results: {Task: T, Dataset: D, Metrics: 5}\n", "3:43"),
        ("Models:\n- Name: a\n  Results: {Task: T, Dataset: D, Metrics: [5]}\n", "3:44"),
        ("Models:\n- Name: a\n  Results: {Task: [T], Dataset: D, Metrics: {M: 1}}\n", "3:19"),
        ("Models:\n- Name: a\n  Weights: [x, y]\n", "3:12"),
        ("Models:\n- Name: a\n  Paper: [x, y]\n", "3:10"),
        ("Models:\n- Name: a\n  In Collection: {x: y}\n", "3:18"),
        ("Models:\n- Name: a\n  README: [x]\n", "3:11"),
        ("just text\n", "1:1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_located(tmp_path: Path, text: str, place: str) -> None:
    index = one(tmp_path, text)
    assert f"model-index.yml:{place} wrong-type" in where(index)
    assert {problem.kind for problem in index.problems} == {"wrong-type"}


@pytest.mark.parametrize("text", ["Models:\n- Metadata: {FLOPs: 1}\n", "Models:\n- Name:\n", "Models:\n- Name: ''\n"])
def test_a_model_without_name_is_a_problem_and_the_rest_is_kept(tmp_path: Path, text: str) -> None:
    index = one(tmp_path, text + "- Name: b\n")
    assert where(index) == ["model-index.yml:2:3 missing-name"]
    assert [model.name.text for model in index.models] == ["b"]


def test_both_models_of_one_name_are_kept_and_both_places_told(tmp_path: Path) -> None:
    index = one(tmp_path, "Models:\n- Name: a\n- Name: b\n- Name: a\n")
    problem = only(index, "duplicate-model")
    assert str(problem.place) == "model-index.yml:4:9"
    assert "model-index.yml:2:9" in problem.message
    assert [model.name.text for model in index.models] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("written", "level", "meant"),
    [
        ("Flop", "metadata", "FLOPs"),
        ("Paramters", "metadata", "Parameters"),
        ("Parmeters", "metadata", "Parameters"),
        ("FileSize", "metadata", "File Size"),
        ("file-size", "metadata", "File Size"),
        ("Traning Data", "metadata", "Training Data"),
        ("Epoch", "metadata", "Epochs"),
        ("Archtecture", "metadata", "Architecture"),
        ("Interplation", "metadata", "Interpolation"),
        ("Metdata", "model", "Metadata"),
        ("Result", "model", "Results"),
        ("Weigths", "model", "Weights"),
        ("InCollection", "model", "In Collection"),
        ("In Colection", "collection", "In Collection"),
        ("Metric", "result", "Metrics"),
        ("Datset", "result", "Dataset"),
        ("Modles", "index", "Models"),
        ("Improt", "index", "Import"),
        ("Websit", "library", "Website"),
    ],
)
def test_a_slip_is_told_from_the_field_it_was_meant_to_be(written: str, level: str, meant: str) -> None:
    assert suggestion(canonical(written), level) == meant


@pytest.mark.parametrize(
    "word",
    [
        "Memory", "Hardware", "Paper With Code", "Training Memory (GB)", "inference time (ms/im)", "lr", "Layers",
        "Momentum", "Weight Decay", "Patch Size", "GFLOPs", "MACs", "Params", "Model Size", "Training Date", "Depth",
        "Resolution", "License", "Optimizer", "Dropout", "Activations", "Image", "Tags", "IDs", "Test Size", "Mode",
        "Stem", "Seed", "Mixup", "Warmup Epochs", "Download", "Release Date", "FLOPs (G)", "SHA1", "MD5", "Batch Norm",
    ],
)  # fmt: skip
def test_other_words_are_not_accused(word: str) -> None:
    assert suggestion(canonical(word), "metadata") is None
    assert word in ("Image", "Mode") or suggestion(canonical(word), "model") is None


def test_a_misspelt_field_is_located(tmp_path: Path) -> None:
    text = "Models:\n- Name: a\n  Metadata:\n    FLOPs: 1\n    Paramters: 5\n"
    problem = only(one(tmp_path, text), "misspelt-field")
    assert (str(problem.place), problem.hint) == ("model-index.yml:5:5", "Did you mean 'Parameters'?")


def test_standard_forms() -> None:
    assert standard_form("file_size") == "File Size"
    assert standard_form("FLOPS") == "FLOPs"
    assert standard_form("Mood") == "Mood"


def test_anchors_aliases_and_merge_keys(tmp_path: Path) -> None:
    text = (
        "Models:\n- Name: a\n  Metadata: &defaults\n    FLOPs: &f 5\n    ID: a\n"
        "- Name: b\n  Metadata:\n    <<: *defaults\n    ID: b\n- Name: c\n  Metadata: {FLOPs: *f}\n"
    )
    index = clean(one(tmp_path, text))
    assert [metadata(model) for model in index.models] == [
        {"flops": "5", "id": "a"},
        {"id": "b", "flops": "5"},
        {"flops": "5"},
    ]
    shared = index.models[2].metadata["flops"].value
    assert (str(shared.place), text_at(index, shared)) == ("model-index.yml:4:15", "5")
