"""Parameters and FLOPs: verdicts, findings, explanations, fixes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rules.world import MIXNET_M, MIXNET_S, count, entry, findings, index_of, measurement, verdict
from tools.measure.records import Measurement
from tools.rules.diagnosis import sizes_claimed, sizes_to_try
from tools.rules.records import Verdict


def flops(*lines: str) -> str:
    return entry("FLOPs", lines[0]) + "".join(f"    {line}\n" for line in lines[1:])


@pytest.mark.parametrize("text", ["4130000", "4.13M", "4,134,606", "4.1 million"])
def test_right_parameters_are_verified(text: str, tmp_path: Path) -> None:
    judgement = verdict(entry("Parameters", text), tmp_path, "Parameters")
    assert (judgement.verdict, judgement.measured) == (Verdict.VERIFIED, 4_134_606)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("4140000", "0.13 % too large"),
        ("4166847", "buffers"),  # 4134606 + 32241
        ("4.134606", "too small by a million: a slip of unit"),
        ("4136143", "1,001 classes (ImageNet-1k with a background class)"),  # one more row of 1536 + 1
        ("2613000", "10 classes (CIFAR-10)"),  # 990 rows of 1537 less: 2612976
        ("2999000", "27 % too small"),
        ("5014382", "the count of another model, mixnet_m"),
        ("4.12M", "% too small"),
        ("8269212", "2 times the count"),
    ],
)
def test_a_wrong_number_of_parameters_is_explained(claim: str, why: str, tmp_path: Path) -> None:
    with_bias = replace(MIXNET_S, state_dict=(*MIXNET_S.state_dict, replace(MIXNET_S.state_dict[0], shape=(1000,))))
    (finding,) = findings(
        entry("Parameters", claim) + "- Name: mixnet_m\n",
        tmp_path,
        "PAR",
        measurements={"mixnet_s": with_bias, "mixnet_m": MIXNET_M},
    )
    assert why in finding.message
    assert (finding.code, finding.place.line, finding.place.column) == ("PAR001", 4, 17)


def test_digits_cut_off_are_told_from_another_number(tmp_path: Path) -> None:
    (finding,) = findings(entry("Parameters", "5.01M"), tmp_path, "PAR", measurements={"mixnet_s": _of(5_019_000)})
    assert "cut off" in finding.message


def _of(parameters: int) -> Measurement:
    return measurement("mixnet_s", parameters)


def test_without_a_counter_fvcore_at_the_image_size_is_meant(tmp_path: Path) -> None:
    judgement = verdict(flops("251736960"), tmp_path, "FLOPs")
    assert (judgement.verdict, judgement.reason) == (Verdict.VERIFIED, "by fvcore at 3x224x224")


def test_what_is_declared_shares_the_verdict(tmp_path: Path) -> None:
    card = flops("321264910", "FLOPs Counter: thop-0.0.31", "FLOPs Input Size: 1x3x224x285")
    for field in ("FLOPs", "FLOPs Counter", "FLOPs Input Size"):
        assert verdict(card, tmp_path, field).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("lines", "why", "line"),
    [
        (("503473920",), "twice the count: ", 4),
        (("125868480",), "half the count: ", 4),
        (("239173360",), "reproduced by the counter torch at 3x224x224", 4),
        (("478346720",), "twice the count of the counter torch", 4),
        (("321264910",), "reproduced by the counter thop-0.0.31 at 3x224x285, another input size", 4),
        (("321264910", "FLOPs Counter: thop-0.0.31", "FLOPs Input Size: 3x224x284"), "3x224x285", 6),
        (("239173360", "FLOPs Counter: fvcore"), "FLOPs Counter: fvcore claimed", 5),
        (("251.736960",), "too small by a million: a slip of unit", 4),
        (("355613152",), "the count of another model, mixnet_m", 4),
        (("100M",), "less than the convolutions alone, 237,637,360", 4),
        (("300.3M",), "19 % too large", 4),
        (("9.999G",), "39.7 times the count", 4),
    ],
)
def test_wrong_flops_are_explained_where_the_mistake_is(
    lines: tuple[str, ...], why: str, line: int, tmp_path: Path
) -> None:
    also = count("thop-0.0.31", 320_000_000, (3, 224, 284))
    measured = {"mixnet_s": replace(MIXNET_S, counts=(*MIXNET_S.counts, also)), "mixnet_m": MIXNET_M}
    (finding,) = findings(flops(*lines) + "- Name: mixnet_m\n", tmp_path, "FLP001", measurements=measured)
    assert why in finding.message
    assert finding.place.line == line


def test_flops_at_a_size_that_was_not_measured_stay_unchecked(tmp_path: Path) -> None:
    judgement = verdict(flops("321264910", "FLOPs Input Size: 3x99x99"), tmp_path, "FLOPs")
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "not counted by fvcore at 3x99x99")


def test_a_model_that_was_not_built_leaves_its_claims_unchecked(tmp_path: Path) -> None:
    judgement = verdict(entry("Parameters", "1", "broken_net"), tmp_path, "Parameters")
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "not measured: KeyError: 'stages'")


def test_sizes_that_a_claim_names_are_measured(tmp_path: Path) -> None:
    index = index_of({"model-index.yml": "Models:\n" + flops("1G", "FLOPs Input Size: 299")}, tmp_path)
    assert sizes_claimed(index.models[0]) == ((3, 299, 299),)
    assert sizes_claimed(index_of({"i.yml": "Models:\n- Name: a\n"}, tmp_path).models[0]) == ()


def test_sizes_worth_trying_are_few_and_near(tmp_path: Path) -> None:
    # 251736960 x (299 / 224)^2 = 448.5 million
    index = index_of({"model-index.yml": "Models:\n" + flops("448500000")}, tmp_path)
    tried = sizes_to_try(index.models[0], MIXNET_S, index)
    assert (3, 299, 299) in tried
    assert len(tried) <= 6


def test_no_size_is_tried_for_a_claim_that_fits_a_counter(tmp_path: Path) -> None:
    index = index_of({"model-index.yml": "Models:\n" + flops("239173360")}, tmp_path)
    assert sizes_to_try(index.models[0], MIXNET_S, index) == ()


def test_the_fix_keeps_unit_quotes_and_precision(tmp_path: Path) -> None:
    (finding,) = findings(entry("Parameters", "'4.2 M'"), tmp_path, "PAR001")
    (edit,) = finding.fix
    assert (edit.old, edit.new) == ("'4.2 M'", "'4.1 M'")


def test_cheap_operators_without_formula_are_no_finding(tmp_path: Path) -> None:
    assert not findings(flops("251736960"), tmp_path, "FLP003")


def test_the_channels_that_an_image_size_states_must_be_the_codes(tmp_path: Path) -> None:
    assert verdict(entry("Image Size", "3x224x224"), tmp_path, "Image Size").verdict is Verdict.VERIFIED
    (finding,) = findings(entry("Image Size", "1x224x224"), tmp_path, "MOD004")
    assert "3x224x224 in the zoo's code" in finding.message
