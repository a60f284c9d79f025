"""The checklist's section "Cards": metadata in comments and front matter of Markdown pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modelindex.helpers import DATA, clean, load, metadata, metrics, names, one, only, plain, text_at, where
from tools.modelindex import load_index


def test_a_real_card() -> None:
    index = clean(load_index([DATA / "tf-mixnet.md"], DATA))
    assert names(index) == ["tf_mixnet_l", "tf_mixnet_m", "tf_mixnet_s"]
    large = index.models[0]
    assert (large.page, large.file) == ("tf-mixnet.md", "tf-mixnet.md")
    # Lines as an editor shows them in the card, not counted from the comment.
    assert str(large.metadata["flops"].value.place) == "tf-mixnet.md:37:12"
    assert str(large.results[0].metrics[1].value.place) == "tf-mixnet.md:66:23"
    assert str(large.metadata["crop pct"].value.place) == "tf-mixnet.md:56:15"
    assert large.paper is not None
    assert plain(large.paper.title) == "MixConv: Mixed Depthwise Convolutional Kernels"


def test_every_scalar_of_a_real_card_is_located_exactly() -> None:
    index = load_index([DATA / "tf-mixnet.md"], DATA)
    lines = index.files["tf-mixnet.md"].text.split("\n")
    seen = 0
    for model in index.models:
        for entry in (*model.fields.values(), *model.metadata.values()):
            for scalar in (entry.key, entry.value):
                if isinstance(plain(scalar), str):
                    line, column = scalar.place.line, scalar.place.column
                    written = text_at(index, scalar)
                    assert lines[line - 1][column - 1 :].startswith(written)
                    assert written.strip("'") == plain(scalar)
                    seen += 1
    # Each model: 6 keys, 4 with a single value; the key of the inherited Paper; 11 keys of metadata, 7 with one.
    assert seen == 3 * (6 + 4 + 1 + 11 + 7)


@pytest.mark.parametrize("kind", ["model-index", "Model-Index", "'model-index'", "modelindex"])
def test_the_type_is_matched_without_case(tmp_path: Path, kind: str) -> None:
    card = f"# A\n\n<!--\nType: {kind}\nModels:\n- Name: a\n-->\n"
    assert names(clean(load(tmp_path, {"cards/a.md": card}, "cards"))) == ["a"]


def test_several_comments_are_merged(tmp_path: Path) -> None:
    card = (
        "<!--\nType: model-index\nCollections:\n- Name: F\n-->\nText <!-- note to self: more --> more\n"
        "<!--\nType: model-index\nModels:\n- {Name: a, In Collection: F}\n-->\n<!-- Models:\n- Name: b -->\n"
    )
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a", "b"]


def test_comments_that_describe_one_model_together_are_one_model(tmp_path: Path) -> None:
    card = (
        "<!--\nType: model-index\nName: a\nMetadata: {FLOPs: 5}\n-->\n"
        "<!--\nType: model-index\nResults: [{Task: T, Dataset: D, Metrics: {M: 1}}]\nMetadata: {ID: a}\n-->\n"
        "<!--\nName: b\nCode: https://example.org\n-->\n"
    )
    index = clean(one(tmp_path, card, "a.md"))
    assert names(index) == ["a", "b"]
    assert metadata(index.models[0]) == {"flops": "5", "id": "a"}
    assert metrics(index.models[0]) == [{"M": "1"}]


@pytest.mark.parametrize(
    "prose",
    [
        "Note: remember the milk",
        "Models: we should list more of them: soon",
        "Name: of the author",
        "Results\n=======\n",
        "Import: from timm",
        "TODO: a: b: c",
        "Name: x\nREADME: y",
        "Type: something-else\nModels:\n- Name: z\n",
        "prettier-ignore-start",
        "Metadata: below, see [1",
    ],
)
def test_prose_comments_are_no_problem(tmp_path: Path, prose: str) -> None:
    card = f"<!-- {prose} -->\n<!--\nModels:\n- Name: a\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_without_type_a_comment_counts_only_where_the_file_is_named(tmp_path: Path) -> None:
    card = "<!--\nModels:\n- Name: a\n-->\n"
    assert names(clean(one(tmp_path, card, "cards/a.md"))) == ["a"]
    assert where(load(tmp_path, {}, "cards")) == ["cards:1:1 missing-import"]


@pytest.mark.parametrize(
    ("fence", "closing"),
    [("```", "```"), ("```yaml", "```"), ("~~~", "~~~"), ("````", "`````"), ("  ```html", "  ```"), ("- ```", "  ```")],
)
def test_a_comment_in_a_fence_is_an_example(tmp_path: Path, fence: str, closing: str) -> None:
    example = "<!--\nType: model-index\nModels: [{Name: example}]\n-->"
    card = f"# A\n\n{fence}\n{example}\n{closing}\n\n{example.replace('example', 'real')}\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["real"]


def test_a_longer_fence_is_not_closed_by_a_shorter_one(tmp_path: Path) -> None:
    example = "<!--\nType: model-index\nModels: [{Name: example}]\n-->"
    card = f"````\n```\n{example}\n```\n{example}\n````\n~~~\n```\n{example}\n~~~\n{example.replace('example', 'real')}"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["real"]


def test_a_fence_that_is_never_closed_reaches_to_the_end(tmp_path: Path) -> None:
    card = "<!--\nModels: [{Name: a}]\n-->\n```\n<!--\nType: model-index\nModels: [{Name: b}]\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_a_comment_in_a_code_span_is_an_example(tmp_path: Path) -> None:
    card = "Write `<!-- Type: model-index -->` or ``<!-- ` -->``.\n<!-- Type: model-index\nModels:\n- Name: a\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_backticks_in_a_comment_open_no_fence(tmp_path: Path) -> None:
    card = "<!--\n```\n-->\n<!--\nModels: [{Name: a}]\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


@pytest.mark.parametrize(
    ("opening", "place"), [("<!-- Type", "2:9"), ("<!--Type", "2:9"), ("<!--\nType", "3:9"), ("<!--  \n\nType", "4:9")]
)
def test_the_yaml_may_begin_behind_the_opening(tmp_path: Path, opening: str, place: str) -> None:
    index = clean(one(tmp_path, f"{opening}: model-index\nModels: [{{Name: a}}]\n-->", "a.md"))
    line = place.split(":")[0]
    assert str(index.models[0].place) == f"a.md:{line}:17"


def test_an_indented_comment(tmp_path: Path) -> None:
    first = "* item\n\n  <!--\n  Type: model-index\n  Models:\n  - Name: a\n  -->\n"
    card = f"{first}<!-- Type: model-index\n     Models:\n     - Name: b\n-->"
    index = clean(one(tmp_path, card, "a.md"))
    assert [str(model.place) for model in index.models] == ["a.md:6:11", "a.md:10:14"]


def test_broken_yaml_is_located_in_the_card_and_the_rest_is_kept(tmp_path: Path) -> None:
    broken = "<!--\nType: model-index\nModels:\n- Name: a\n  Code: b: c\n-->\n"
    card = f"# A\n\n{broken}<!--\nType: model-index\nModels: [{{Name: b}}]\n-->\n"
    index = one(tmp_path, card, "a.md")
    problem = only(index, "unreadable")
    assert str(problem.place) == "a.md:7:10"
    assert names(index) == ["b"]


def test_an_unclosed_comment_is_a_problem_if_it_is_an_index(tmp_path: Path) -> None:
    index = one(tmp_path, "# A\n<!--\nType: model-index\nModels: [{Name: a}]\n", "a.md")
    assert where(index) == ["a.md:2:1 unreadable"]
    assert "closed" in index.problems[0].message


def test_a_comment_without_a_type_is_a_problem_if_it_is_an_index_and_never_closed(tmp_path: Path) -> None:
    index = one(tmp_path, "<!--\nModels:\n- Name: a\n-->\n<!--\nModels:\n- Name: b\n", "a.md")
    assert (names(index), where(index)) == (["a"], ["a.md:5:1 unreadable"])
    prose = one(tmp_path, "<!--\nModels:\n- Name: a\n-->\n<!-- Name: who wrote this\n", "b.md")
    assert (names(prose), prose.problems) == (["a"], ())


def test_an_index_with_a_broken_anchored_list_is_not_taken_for_prose(tmp_path: Path) -> None:
    index = one(tmp_path, "<!--\nModels: &all\n- Name: a\n  Metadata: *all\n-->\n", "a.md")
    assert where(index) == ["a.md:2:9 unreadable"]


def test_the_page_becomes_the_readme(tmp_path: Path) -> None:
    index = clean(load(tmp_path, {"model-index.yml": "Import: c/*.md\n", "c/a.md": "<!--\nModels: [{Name: a}]\n-->"}))
    assert index.models[0].page == "c/a.md"


HUGGING_FACE = """---
license: apache-2.0
tags: [image-classification]
model-index:
- name: mixnet-small
  results:
  - task:
      type: image-classification
      name: Image Classification
    dataset:
      type: imagenet-1k
      name: ImageNet
      config: default
      split: validation
    metrics:
    - type: accuracy
      value: 75.99
      name: Top 1 Accuracy
    - type: f1
      value: 0.7
- results:
  - task: {type: image-classification}
    dataset: {type: imagenet-1k, name: ImageNet}
    metrics: [{type: accuracy, value: 1}]
---
# A page

<!--
Type: model-index
Models: [{Name: commented}]
-->
"""


def test_hugging_face_front_matter_and_comments(tmp_path: Path) -> None:
    index = clean(one(tmp_path, HUGGING_FACE, "mixnet.md"))
    assert names(index) == ["mixnet-small", "mixnet", "commented"]
    first = index.models[0]
    assert metrics(first) == [{"Top 1 Accuracy": "75.99", "f1": "0.7"}]
    assert (plain(first.results[0].task), plain(first.results[0].dataset)) == ("Image Classification", "ImageNet")
    assert plain(index.models[1].results[0].task) == "image-classification"
    assert str(first.results[0].metrics[0].value.place) == "mixnet.md:17:14"
    assert str(index.models[2].place) == "mixnet.md:30:17"


def test_front_matter_may_hold_a_model_index_of_the_other_dialect(tmp_path: Path) -> None:
    card = "---\ntitle: T\nmodel-index:\n  Models:\n  - Name: a\n---\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


@pytest.mark.parametrize("header", ["", "title: T\n", "title: [broken\n"])
def test_other_front_matter_is_left_alone(tmp_path: Path, header: str) -> None:
    card = f"---\n{header}---\n<!--\nModels: [{{Name: a}}]\n-->\n"
    assert names(clean(one(tmp_path, card, "a.md"))) == ["a"]


def test_broken_front_matter_with_an_index_is_located(tmp_path: Path) -> None:
    index = one(tmp_path, "---\nmodel-index:\n- name: a\n  results: [\n---\n<!--\nModels: [{Name: b}]\n-->", "a.md")
    assert [problem.kind for problem in index.problems] == ["unreadable"]
    assert names(index) == ["b"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_wide_characters(tmp_path: Path, newline: str) -> None:
    card = "﻿# Ü 😀\u2028x\n<!--\nType: model-index\nModels:\n- Name: 😀é\n  Code: ü\n-->\n".replace("\n", newline)
    index = clean(one(tmp_path, card, "a.md"))
    code = index.models[0].code
    assert code is not None
    assert str(code.place) == "a.md:6:9"
    assert (text_at(index, code), index.models[0].name.text) == ("ü", "😀é")
    assert index.files["a.md"].bom
    assert not index.files["a.md"].text.startswith("\ufeff")
