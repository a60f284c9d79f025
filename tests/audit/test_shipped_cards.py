"""The zoo's own cards: clean as they are, and no claim that code proves can be changed unnoticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import Audit
from tools.modelindex import load_index
from tools.rules.claims import claims_of
from tools.rules.records import Claim

ROOT = Path(__file__).parents[2]
PROVED = {"FLOPs", "FLOPs Counter", "FLOPs Input Size", "Parameters", "File Size", "Crop Pct", "Image Size", "Weights"}
"""Fields whose every first digit counts. Results are only bounded by each other: nothing here evaluates a model."""


def _claims() -> list[Claim]:
    """The claims of one model of each card; the others are alike."""
    index = load_index([ROOT / "docs" / "model-index.yml"], ROOT)
    first = {model.file: model for model in reversed(index.models) if model.metadata}
    return [claim for model in first.values() for claim in claims_of(model) if claim.field in PROVED]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shipped")


@pytest.fixture
def shipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cards and their index beside the real zoo, measured once for all tests."""
    shutil.rmtree(folder / "docs", ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "pyproject.toml").write_text(
        f"[tool.zoo-audit]\nindex = 'docs/model-index.yml'\nfactory = 'zoo:create_model'\n"
        f"config-of = 'zoo:model_info'\nlist-models = 'zoo:list_models'\nroot = '{ROOT}'\njobs = 1\n",
        "utf-8",
    )
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ZOO_AUDIT_CACHE", raising=False)
    return folder


def _report(audit: Audit, *arguments: str) -> tuple[int, Any]:
    result = audit("--format", "json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def test_the_shipped_cards_are_clean_and_every_published_number_is_reproduced(shipped: Path, audit: Audit) -> None:
    code, report = _report(audit)
    assert code == 0, report["findings"]
    assert report["summary"]["mismatch"] == report["summary"]["errors"] == 0
    flops = {
        model["name"]: claim["verdict"]
        for model in report["models"]
        for claim in model["claims"]
        if claim["field"] == "FLOPs"
    }
    assert len(flops) == 7
    assert set(flops.values()) == {"verified"}
    assert len(report["models"]) == 8


@pytest.mark.parametrize("claim", _claims(), ids=lambda claim: f"{claim.model}-{claim.field}")
def test_a_changed_digit_is_found_where_it_stands(shipped: Path, audit: Audit, claim: Claim) -> None:
    card = shipped / claim.place.path
    text = card.read_text("utf-8")
    start, old = claim.value.start, text[claim.value.start : claim.value.end]
    # Of a URL the hash in the file's name, of a counter its version, of a size the height, else the first digit.
    offset = {
        "Weights": old.rfind("-"),
        "FLOPs Counter": old.rfind("-"),
        "FLOPs Input Size": old.find("x"),
    }.get(claim.field, 0)
    position = next(i for i, c in enumerate(old) if i >= offset and c in "123456789")
    digit = "8" if old[position] != "8" else "3"
    card.write_text(text[: start + position] + digit + text[start + position + 1 :], "utf-8")
    code, report = _report(audit, "--models", claim.model)
    assert code == 1
    places = [(f["line"], f["column"], f["field"]) for f in report["findings"] if f["severity"] == "error"]
    if claim.field == "FLOPs Input Size":
        # FLOPs that fit no size are told at the FLOPs: which of the two values is wrong nobody can know.
        assert {"FLOPs", claim.field} & {field for _, _, field in places}
    else:
        assert (claim.place.line, claim.place.column, claim.field) in places


@pytest.mark.parametrize("position", range(7))
def test_any_digit_of_a_rounded_count_matters(shipped: Path, audit: Audit, position: int) -> None:
    claim = next(claim for claim in _claims() if claim.field == "Parameters")
    assert len(claim.value.text) == 7
    digits = list(claim.value.text)
    digits[position] = str((int(digits[position]) + 3) % 10)
    card = shipped / claim.place.path
    text = card.read_text("utf-8")
    card.write_text(text[: claim.value.start] + "".join(digits) + text[claim.value.end :], "utf-8")
    code, report = _report(audit, "--models", claim.model)
    assert code == 1
    assert [f["code"] for f in report["findings"] if f["column"] == claim.place.column] == ["PAR001"]


def test_a_number_counted_on_the_photo_is_explained_where_the_card_does_not_say_so(shipped: Path, audit: Audit) -> None:
    card = shipped / "docs" / "models" / "tf-mixnet.md"
    lines = card.read_text("utf-8").splitlines(keepends=True)
    card.write_text(
        "".join(line for line in lines if "FLOPs Counter:" not in line and "Input Size:" not in line), "utf-8"
    )
    # Alone, so that no other card gives the size away.
    code, report = _report(audit, str(card), "--select", "FLP001")
    assert code == 1
    assert [finding["claimed"] for finding in report["findings"]] == ["302587678", "416633502", "688674516"]
    for finding in report["findings"]:
        assert "reproduced by the counter thop-0.0.31 at 3x224x285" in finding["message"]
