"""Weights without a file, results, architectures and names: what is plausible, and what must not be accused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rules.world import MIXNET_S, WEIGHTS, entry, findings, measurement, verdict, weight_file
from tools.measure.records import TensorEntry
from tools.rules.architecture import judge_tag
from tools.rules.filesize import judge_size
from tools.rules.operators import costly, short_name
from tools.rules.outliers import outliers
from tools.rules.quantity import parse
from tools.rules.records import Verdict
from tools.rules.sizes import parse_size
from tools.rules.variants import differ_in_size
from tools.weights.predict import predict_sizes

MILLION = TensorEntry("body.weight", (1_000_000,), "float32", 4_000_000)
AUX = TensorEntry("aux1.fc.weight", (500_000,), "float32", 2_000_000)


@pytest.mark.parametrize(
    ("size", "fits", "reason"),
    [
        ("4000001", True, "predicted"),
        ("4262144", True, "predicted at least 4,000,000"),  # 4,000,000 + 256 KiB
        ("4262145", False, "more than its tensors"),
        ("3999999", False, "1 bytes too few"),
        ("4.0 MB", True, "predicted"),
        ("3.9 MB", False, "too few"),
        ("2001000", True, "half-precision"),
        ("8001000", False, "twice the state dict"),
        ("12001000", False, "three times"),
    ],
)
def test_file_sizes_are_held_against_the_state_dict(size: str, fits: bool, reason: str) -> None:
    quantity = parse(size, "bytes")
    assert quantity is not None
    judged = judge_size(quantity, measurement(state_dict=(MILLION,)), "net.pth", auxiliary=False)
    assert (judged.fits, reason in judged.reason) == (fits, True), judged.reason


def test_a_predicted_size_is_named_to_the_byte() -> None:
    model = measurement(state_dict=(MILLION,))
    for prediction in predict_sizes(model.state_dict, model.module_versions, "net"):
        quantity = parse(str(prediction.size), "bytes")
        assert quantity is not None
        assert "(to the byte)" in judge_size(quantity, model, "net.pth", auxiliary=False).reason


def test_auxiliary_heads_are_recognised() -> None:
    without, larger = parse("4001000", "bytes"), parse("6001000", "bytes")
    assert without is not None and larger is not None
    assert (
        "without auxiliary heads"
        in judge_size(without, measurement(state_dict=(MILLION, AUX)), "", auxiliary=False).reason
    )
    assert judge_size(larger, measurement(state_dict=(MILLION,)), "", auxiliary=True).fits
    assert not judge_size(larger, measurement(state_dict=(MILLION,)), "", auxiliary=False).fits


def test_a_card_may_say_that_there_is_an_auxiliary_head(tmp_path: Path) -> None:
    card = entry("File Size", "6001000", "net") + "    Architecture: [Auxiliary Classifier]\n"
    judgement = verdict(card, tmp_path, "File Size", measurements={"net": measurement(state_dict=(MILLION,))})
    assert (judgement.verdict, "auxiliary head" in judgement.reason) == (Verdict.CONSISTENT, True)


@pytest.mark.parametrize(
    ("entries", "verdict_of"),
    [
        ((MILLION,), Verdict.VERIFIED),
        ((replace(MILLION, dtype="float16", nbytes=2_000_000),), Verdict.VERIFIED),
        ((MILLION, AUX), Verdict.VERIFIED),  # by its hash; an extra head is no breach
        ((AUX,), Verdict.MISMATCH),
    ],
)
def test_a_file_must_fit_the_model(entries: tuple[TensorEntry, ...], verdict_of: Verdict, tmp_path: Path) -> None:
    name = "at_hand-a907afbc.pth"
    judgement = verdict(
        f"- Name: at_hand\n  Weights: https://example.org/{name}\n",
        tmp_path,
        "Weights",
        measurements={"at_hand": measurement(state_dict=(MILLION,))},
        weights={**WEIGHTS, name: weight_file(name, entries=entries)},
    )
    assert judgement.verdict is verdict_of


def test_without_a_file_weights_are_unchecked(tmp_path: Path) -> None:
    url = "https://example.org/weights/mixnet_s-a907afbc.pth"
    judgement = verdict(f"- Name: mixnet_s\n  Weights: {url}\n", tmp_path, "Weights", weights=None)
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "no file; the URL is the code's own")


def test_the_hash_in_the_name_and_sha256_must_agree_even_without_a_file(tmp_path: Path) -> None:
    card = entry("SHA256", "b" * 64) + "  Weights: https://example.org/mixnet_s-a907afbc.pth\n"
    assert findings(card, tmp_path, "WTS008", weights=None, static=True, measurements={})


def test_an_accuracy_is_never_verified(tmp_path: Path) -> None:
    card = (
        "- Name: n\n  Results:\n  - Task: T\n    Dataset: D\n    Metrics: {Top 1 Accuracy: 76%, Top 5 Accuracy: 93%}\n"
    )
    judgement = verdict(card, tmp_path, "Top 1 Accuracy")
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "in range and in order; not evaluated")


@pytest.mark.parametrize(
    "metrics",
    [
        "{Top 1 Accuracy: 0.76, Top 5 Accuracy: 0.93}",  # fractions throughout
        "{Top 1 Accuracy: 76, Top 5 Accuracy: 76}",
        "{Top 1 Error: 24%, Top 5 Error: 7%}",
        "{Top 1 Accuracy: 21.3%}",  # a weak model
        "{PSNR: 31.2, FID: 212.5, Perplexity: 1200}",
        "{box AP: 37.9, mask AP: 34.6}",
    ],
)
def test_healthy_results_are_not_accused(metrics: str, tmp_path: Path) -> None:
    card = f"- Name: n\n  Results:\n  - Task: T\n    Dataset: D\n    Metrics: {metrics}\n"
    assert not findings(card, tmp_path, "RES")


def test_the_outlier_test_is_deaf_to_what_is_only_unusual() -> None:
    imagenet = [
        (61.1, 56.5),
        (60.2, 78.3),
        (68.9, 78.5),
        (50.1, 83.6),
        (49.6, 83.2),
        (44.5, 77.4),
        (88.8, 79.3),
        (39.4, 82.8),
    ]
    assert list(outliers([(size * 1e6, value) for size, value in imagenet])) == []  # AlexNet among the others


def test_the_outlier_test_hears_a_slip() -> None:
    points = [(4.0, 76.0), (5.0, 77.0), (6.0, 18.1), (7.0, 79.0), (8.0, 79.4), (12.0, 80.5)]
    assert [position for position, _ in outliers(points)] == [2]
    assert list(outliers(points[:5])) == []  # too few neighbours


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ("resnet50", "resnet101", True),
        ("mixnet_s", "mixnet_xl", True),
        ("efficientnet_b0", "efficientnet_b3", True),
        ("resnet50", "tv_resnet50", False),
        ("resnet50", "resnext50", False),
        ("resnet50_a1", "resnet50_a2", False),
        ("net_224", "net_384", False),
        ("net_seed1", "net_seed2", False),
        ("net_in1k", "net_in21k", False),
        ("mixnet_s", "mixnet_s", False),
    ],
)
def test_names_tell_of_sizes(first: str, second: str, differ: bool) -> None:
    assert differ_in_size(first, second) is differ


def test_models_trained_again_are_no_aliases(tmp_path: Path) -> None:
    twin = replace(MIXNET_S, name="mixnet_s_twin")
    card = entry("Parameters", "4130000") + entry("Parameters", "4.13M", "mixnet_s_twin")
    assert not findings(card, tmp_path, "MOD002", measurements={"mixnet_s": MIXNET_S, "mixnet_s_twin": twin})


def test_tags_are_proved_by_modules() -> None:
    assert judge_tag("Swish", {"SiLU": 3}) == (True, 3)
    assert judge_tag("squeeze and excitation block", {}) == (False, 0)
    assert judge_tag("Transformer", {"SiLU": 3}) is None


def test_operators_that_cost_next_to_nothing_are_known() -> None:
    assert short_name("aten::silu_") == "silu"
    assert not any(costly(name) for name in ("aten::silu_", "aten::add", "aten::mean", "aten::max_pool2d"))
    assert all(
        costly(name) for name in ("aten::scaled_dot_product_attention", "aten::lstm", "aten::fft_rfft2", "my::op")
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("224", (3, 224, 224)),
        ("224x285", (3, 224, 285)),
        ("1x3x224x285", (3, 224, 285)),
        ("(1, 28, 28)", (1, 28, 28)),
        ("[3, 224, 224]", (3, 224, 224)),
        ("2x3x224x224", None),
        ("0", None),
        ("224x", None),
        ("99999999", None),
        ("", None),
    ],
)
def test_input_sizes_are_read_as_people_write_them(text: str, size: tuple[int, ...] | None) -> None:
    assert parse_size(text) == size
