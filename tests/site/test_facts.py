from __future__ import annotations

import pytest

from tests.site.made import count, facts, measurement
from tools.measure.records import Failure
from tools.rules.records import Verdict
from tools.site.facts import Facts
from tools.site.verdicts import MEANING, MEASURED, SYMBOL
from tools.weights.records import WeightFile

WEIGHTS = "https://example.org/made-a907afbc.pth"


def test_every_verdict_has_a_symbol_and_a_meaning_of_its_own() -> None:
    looks = [*(verdict.value for verdict in Verdict), MEASURED]
    assert sorted(SYMBOL) == sorted(MEANING) == sorted(looks)
    assert len(set(SYMBOL.values())) == len(looks)


def test_a_claim_is_shown_with_its_verdict_and_explained() -> None:
    cell = facts("made", ("Parameters", "4130000", Verdict.VERIFIED)).parameters_cell()
    assert (cell.text, cell.look) == ("4.13\N{NARROW NO-BREAK SPACE}M", "verified")
    assert "claimed 4,130,000" in cell.detail


def test_without_a_claim_the_measurement_stands_and_says_so() -> None:
    cell = facts("made").parameters_cell()
    assert cell.look == MEASURED
    assert cell.detail == "measured 4,134,606 parameters; none published"


def test_of_several_verdicts_the_page_shows_the_one_that_promises_least() -> None:
    made = facts("made", ("Top 1 Accuracy", "75%", Verdict.VERIFIED), ("Top-1", "80%", Verdict.MISMATCH))
    assert made.accuracy_cell(1).look == "mismatch"


@pytest.mark.parametrize("name", ["Top 1 Accuracy", "top-1", "Top1", "acc@1", "Accuracy@1"])
def test_accuracies_are_found_under_their_usual_names(name: str) -> None:
    made = facts("made", (name, "75.99%", Verdict.UNCHECKED))
    assert made.accuracy_value(1) == 75.99
    assert made.accuracy_value(5) is None


def test_top_10_is_not_top_1() -> None:
    assert facts("made", ("Top 10 Accuracy", "99%", Verdict.UNCHECKED)).accuracy(1) is None


def test_a_hash_is_verified_only_by_a_file() -> None:
    made = facts("made", ("Weights", WEIGHTS, Verdict.VERIFIED), weights=WEIGHTS)
    assert made.hash_cell().look == "unchecked"
    for sha256, look in (("a907afbc" + "0" * 56, "verified"), ("b" * 64, "mismatch")):
        file = WeightFile("w", "zip", 1, sha256, "a907afbc")
        assert Facts(made.report, {"made-a907afbc.pth": file}).hash_cell().look == look


def test_the_published_flops_are_compared_under_the_counter_they_name() -> None:
    counts = (count("fvcore", 5), count("thop-0.0.31", 7))
    made = facts(
        "made",
        ("FLOPs", "7", Verdict.VERIFIED),
        ("FLOPs Counter", "thop-0.0.31", Verdict.VERIFIED),
        measured=measurement("made", counts=counts),
    )
    claimed = made.claimed_count()
    assert claimed is not None
    assert claimed.total == 7


def test_a_model_that_failed_says_why() -> None:
    made = facts("made", measured=Failure("made", "build", "KeyError: 'made'"))
    assert made.measurement is None
    assert made.why_not_measured() == "not measured: KeyError: 'made'"
    assert made.flops_cell().detail == "not measured: KeyError: 'made'"


def test_a_weights_url_that_is_none_gives_no_name() -> None:
    assert facts("made", weights="https://[broken").weights_name == ""
