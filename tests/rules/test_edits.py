"""The edits that rules offer: safe YAML or JSON where they stand, and right for every model that shares the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.world import MIXNET_M, MIXNET_S, SHA256, context_of, index_of, weight_file
from tools.modelindex.edit import apply_edits
from tools.rules.engine import judge

URL = "https://example.org/releases/download/v1/net-a907afbc.pth"


def mended(files: dict[str, str] | str, root: Path, code: str, path: str = "model-index.yml") -> str:
    """The text of a file after the fixes of one rule; there is at least one finding of it."""
    index = index_of({path: files} if isinstance(files, str) else files, root)
    weights = {"net-a907afbc.pth": weight_file("net-a907afbc.pth")}
    context = context_of(index, measurements={"s": MIXNET_S, "m": MIXNET_M}, weights=weights)
    found = [finding for finding in judge(context).findings if finding.code == code]
    assert found
    edits = apply_edits(index.files, (edit for finding in found for edit in finding.fix))
    return edits.get(path, index.files[path].text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("4000001", "4134606"),
        ("'4000001'", "'4134606'"),
        (r'"400\x30001"', '"4134606"'),
        ("!!str 4000001", "!!str 4134606"),
        (">-\n      4000001", "4134606"),
    ],
)
def test_a_number_is_written_however_it_stands(written: str, expected: str, tmp_path: Path) -> None:
    model = "Models:\n- Name: s\n  Metadata:\n    Parameters: {}\n    Epochs: 1\n"
    assert mended(model.format(written), tmp_path, "PAR001") == model.format(expected)


def test_json_stays_json(tmp_path: Path) -> None:
    model = '{"Models": [{"Name": "s", "Weights": "%s", "Metadata": {"Parameters": %s%s}}]}'
    index = {"model-index.json": model % (URL, '"4000001"', "")}
    assert mended(index, tmp_path, "PAR001", "model-index.json") == model % (URL, '"4134606"', "")
    added = f', "SHA256": "{SHA256}"'
    assert mended(index, tmp_path, "WTS012", "model-index.json") == model % (URL, '"4000001"', added)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    Epochs: 1  # long\n    Tags:\n    - a\n", "    Epochs: 1  # long\n    SHA256: {}\n    Tags:\n    - a\n"),
        ("    {{Epochs: 1}}\n", "    {{Epochs: 1, SHA256: {}}}\n"),
    ],
)
def test_a_hash_is_added_in_the_style_of_its_neighbour(before: str, after: str, newline: str, tmp_path: Path) -> None:
    head = f"Models:\n- Name: s\n  Weights: {URL}\n  Metadata:\n"
    text = mended((head + before.format()).replace("\n", newline), tmp_path, "WTS012")
    assert text == (head + after.format(SHA256)).replace("\n", newline)


def test_a_model_without_metadata_gets_them_with_the_hash(tmp_path: Path) -> None:
    block = f"Models:\n- Name: s\n  Weights: {URL}  # moved\n  Code: https://example.org/s.py\n"
    added = block.replace("# moved\n", f"# moved\n  Metadata: {{SHA256: {SHA256}}}\n")
    assert mended(block, tmp_path, "WTS012") == added
    index = {"model-index.json": f'{{"Models": [{{"Name": "s", "Weights": "{URL}"}}]}}'}
    added = f'{{"Models": [{{"Name": "s", "Weights": "{URL}", "Metadata": {{"SHA256": "{SHA256}"}}}}]}}'
    assert mended(index, tmp_path, "WTS012", "model-index.json") == added


def test_a_model_that_an_alias_repeats_gets_no_metadata(tmp_path: Path) -> None:
    shared = f"Models:\n- &s\n  Name: s\n  Weights: {URL}\n- *s\n"
    assert mended(shared, tmp_path, "WTS012") == shared


def test_a_hash_is_not_added_where_an_alias_points(tmp_path: Path) -> None:
    anchor = f"Models:\n- Name: m\n  Metadata:\n    Epochs: &epochs 1\n- Name: s\n  Weights: {URL}\n  Metadata:\n"
    text = anchor + "    Epochs: *epochs\n"
    assert mended(text, tmp_path, "WTS012") == text


SHARED = {
    "a collection": (
        "Collections:\n- Name: C\n  Metadata:\n    Parameters: 5014382\n    Image Size: 300\n"
        "Models:\n- Name: s\n  In Collection: C\n- Name: m\n  In Collection: C\n"
    ),
    "an anchored mapping": (
        "Models:\n- Name: m\n  Metadata: &shared\n    Parameters: 5014382\n    Image Size: 300\n"
        "- Name: s\n  Metadata: *shared\n"
    ),
}


@pytest.mark.parametrize("text", SHARED.values(), ids=SHARED)
def test_a_shared_value_is_mended_only_where_that_is_right_for_all(text: str, tmp_path: Path) -> None:
    assert mended(text, tmp_path, "PAR001") == text  # wrong for s, right for m
    assert mended(text, tmp_path, "MOD004") == text.replace("300", "224")  # wrong for both, in the same way


def test_a_value_that_is_wrong_for_two_models_in_two_ways_stays(tmp_path: Path) -> None:
    text = SHARED["a collection"].replace("5014382", "9000001")
    assert mended(text, tmp_path, "PAR001") == text


def test_an_anchored_value_stays(tmp_path: Path) -> None:
    text = "Models:\n- Name: &name s\n  Metadata:\n    Parameters: &p 4000001\n    Custom: *p\n"
    assert mended(text, tmp_path, "PAR001") == text


def test_a_hash_is_not_added_to_metadata_that_two_models_share(tmp_path: Path) -> None:
    index = f"Models:\n- Name: s\n  Weights: {URL}\n  Metadata: meta.yml\n- Name: m\n  Metadata: meta.yml\n"
    files = {"model-index.yml": index, "meta.yml": "Epochs: 1\n"}
    assert mended(files, tmp_path, "WTS012", "meta.yml") == "Epochs: 1\n"
    alone = {**files, "model-index.yml": index.partition("- Name: m")[0]}
    assert mended(alone, tmp_path, "WTS012", "meta.yml") == f"Epochs: 1\nSHA256: {SHA256}\n"
