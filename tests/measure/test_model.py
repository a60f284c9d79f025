"""One model measured in this process: the zoo's published figures, toys by hand, and every way to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from tools.measure.counters import COUNTERS
from tools.measure.evidence import kinds
from tools.measure.kinds import KINDS, TAGS
from tools.measure.model import measure_model
from tools.measure.records import CodeConfig, Factory, Failure, Measurement, Request
from tools.measure.serial import from_json, to_json
from tools.measure.trace import run_meta

ZOO = Factory("zoo:create_model", config_of="zoo:model_info")
TOYS = Factory("tests.measure.toys:build", config_of="tests.measure.toys:config")
PUBLISHED = {
    "tf_mixnet_s": 302587678,
    "tf_mixnet_m": 416633502,
    "tf_mixnet_l": 688674516,
    "mixnet_s": 321264910,
    "mixnet_m": 454543374,
    "mixnet_l": 738671316,
    "mixnet_xl": 1195880424,
}


def measured(name: str, factory: Factory = TOYS, **request: Any) -> Measurement:
    result = measure_model(Request(name, factory, **request))
    assert isinstance(result, Measurement), result
    return result


def failed(name: str) -> Failure:
    result = measure_model(Request(name, TOYS, input_size=(3, 8, 8)))
    assert isinstance(result, Failure)
    return result


@pytest.mark.parametrize(("name", "flops"), PUBLISHED.items())
def test_published_flops_of_the_cards_are_reproduced_exactly(name: str, flops: int) -> None:
    result = measured(name, ZOO, sizes=((3, 224, 285),))
    count = result.count("thop-0.0.31", (3, 224, 285))
    assert count is not None
    assert count.total == flops
    assert result.method == "meta"


def test_every_number_of_a_toy_by_hand() -> None:
    result = measured("plain", input_size=(3, 8, 8))
    pixels = 8 * 8
    assert result.parameters == 8 * 27 + 16 + 8 * 10 + 10
    assert result.buffers == 8 + 8 + 1
    assert result.parameters_by_kind == {"Conv2d": 216, "BatchNorm2d": 16, "Linear": 90}
    assert result.parameters_by_stage == {"conv": 216, "norm": 16, "fc": 90}
    assert {count.counter: count.total for count in result.counts} == {
        "fvcore": pixels * 216 + 2 * 8 * pixels + 8 * pixels + 80,
        "fvcore+": pixels * 216 + 2 * 8 * pixels + 8 * pixels + 80,
        "torch": pixels * 216 + 80,
        "conv-linear": pixels * 216 + 80,
        "thop-0.0.31": pixels * 216 + 2 * 8 * pixels,  # pooled by a function; the classifier is left out
    }
    reference = result.count("fvcore")
    assert reference is not None
    assert reference.by_operator == {
        "conv": pixels * 216,
        "batch_norm": 16 * pixels,
        "adaptive_avg_pool2d": 8 * pixels,
        "linear": 80,
    }
    assert reference.by_stage == {"conv": pixels * 216, "norm": 16 * pixels, "fc": 80, "(other)": 8 * pixels}
    assert result.activations == 8 * pixels + 10
    assert result.activations_by_stage == {"conv": 8 * pixels, "fc": 10}
    assert [entry.key for entry in result.state_dict][:2] == ["conv.weight", "norm.weight"]
    assert result.state_dict_bytes == (216 + 16 + 16 + 90) * 4 + 8
    assert result.classifier == (8, 10)
    assert (result.dtype, result.method, result.method_reason) == ("float32", "meta", "")
    assert result.kinds == {
        "Average Pooling": 1,
        "Batch Normalization": 1,
        "Convolution": 1,
        "Global Average Pooling": 1,
        "Linear": 1,
        "ReLU": 1,
    }
    assert dict(result.module_versions)["norm"] == 2


def test_stages_of_the_zoo_add_up_to_the_totals() -> None:
    result = measured("mixnet_s", ZOO)
    assert list(result.parameters_by_stage) == [
        "conv_stem", "bn1", *[f"blocks.{i}" for i in range(6)], "conv_head", "bn2", "classifier",
    ]  # fmt: skip
    assert sum(result.parameters_by_stage.values()) == result.parameters == 4134606
    assert {count.counter for count in result.counts} == set(COUNTERS)
    for count in result.counts:
        assert sum(count.by_stage.values()) == sum(count.by_operator.values()) == count.total
    assert sum(result.activations_by_stage.values()) == result.activations == 6252094


def test_the_zoo_s_kinds_are_evidence_for_the_cards_tags() -> None:
    found = measured("tf_mixnet_s", ZOO).kinds
    tags = ["Batch Normalization", "Dropout", "Global Average Pooling", "Grouped Convolution", "MixConv"]
    for tag in (*tags, "Squeeze-and-Excitation Block", "Swish", "Dense Connections", "Depthwise Separable Convolution"):
        assert any(found.get(kind) for kind in TAGS[tag]), tag
    assert found["Squeeze-and-Excitation Block"] == 13
    assert found["Global Average Pooling"] == 1
    assert "Layer Normalization" not in found
    assert found.keys() <= KINDS.keys()
    assert {kind for tag in TAGS.values() for kind in tag} <= KINDS.keys()


class Gated(nn.Module):
    """A gate that is written with functions, dropout that is off, and a pool at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(8, 2, 1)
        self.up = nn.Conv2d(2, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True)))))


class Functional(nn.Module):
    """Everything that a forward may do without a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = Gated()
        self.off = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        return (
            F.dropout(F.gelu(F.max_pool2d(self.off(self.weigh(x)), 2)), training=self.training).mean((2, 3)).softmax(-1)
        )


def test_what_is_written_with_functions_is_seen_while_it_runs() -> None:
    model = Functional().eval().to("meta")
    found = kinds(model, run_meta(model, (torch.empty(1, 8, 4, 4, device="meta"),)))
    assert found == {
        "1x1 Convolution": 2,
        "Convolution": 2,
        "Dropout": 1,
        "GELU": 1,
        "Global Average Pooling": 1,  # the one at the end, and not the gate's
        "Max Pooling": 1,
        "ReLU": 1,
        "Sigmoid": 1,
        "Softmax": 1,
        "Squeeze-and-Excitation Block": 1,
    }
    bottleneck = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8)).to("meta")
    assert "Squeeze-and-Excitation Block" not in kinds(
        bottleneck, run_meta(bottleneck, (torch.empty(1, 8, device="meta"),))
    )


def test_fingerprints_tell_architectures_and_not_names() -> None:
    prints = {
        name: measured(name, input_size=(3, 8, 8)).fingerprint for name in ("plain", "plain_again", "eps", "padded")
    }
    assert prints["plain"] == prints["plain_again"]
    assert len(set(prints.values())) == 3
    assert measured("mixnet_s", ZOO).fingerprint != measured("tf_mixnet_s", ZOO).fingerprint


def test_the_code_s_own_input_size_is_used_unless_another_is_asked_for() -> None:
    result = measured("wide")
    assert result.input_size == (3, 32, 32)
    assert result.config == CodeConfig(
        weights="https://example.org/wide-0a1b2c3d.pth", input_size=(3, 32, 32), crop_pct=0.9
    )
    assert measured("wide", input_size=(3, 8, 8)).input_size == (3, 8, 8)


@pytest.mark.parametrize(("name", "reason"), [("decides", "item"), ("numpy", "numpy")])
def test_what_needs_values_is_run_really_and_says_so(name: str, reason: str) -> None:
    result = measured(name, input_size=(3, 8, 8))
    assert result.method == "forward"
    assert reason in result.method_reason
    for count in measured("plain", input_size=(3, 8, 8)).counts:
        same = result.count(count.counter)
        assert same is not None
        assert same.total == count.total


def test_tracebacks_begin_in_the_zoo_and_name_no_folder_of_this_machine() -> None:
    lines = failed("raises").detail.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "tests/measure/toys.py", line ')
    assert lines[-2:] == ["ValueError: cannot be built", "because of this"]
    assert 'File "torch/nn/modules/module.py"' in failed("broken").detail
    assert str(Path(__file__).parents[2]) not in failed("broken").detail


def test_failures_tell_the_stage_and_the_last_line() -> None:
    assert (failed("raises").stage, failed("raises").message) == ("build", "because of this")
    assert (failed("exits").stage, failed("exits").message) == ("build", "SystemExit: no such model")
    assert failed("broken").stage == "forward"
    assert failed("broken").message == "the forward is broken"
    assert "Traceback" in failed("broken").detail
    assert failed("not_a_module").message == "TypeError: the factory returned a int, not a torch.nn.Module"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:build", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.measure.toys:nothing", "ImportError: module 'tests.measure.toys' has no 'nothing'"),
        ("tests.measure.toys:MODELS", "TypeError: tests.measure.toys:MODELS is a dict, not a callable"),
        ("no colon", "ValueError: 'no colon' is not of the form package.module:callable"),
    ],
)
def test_a_factory_that_cannot_be_reached_is_a_failure(target: str, message: str) -> None:
    result = measure_model(Request("plain", Factory(target)))
    assert isinstance(result, Failure)
    assert (result.stage, result.message) == ("import", message)


def test_what_a_factory_prints_does_not_reach_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    measured("prints", input_size=(3, 8, 8))
    assert capsys.readouterr().out == ""


def test_a_size_that_the_model_cannot_take_has_no_counts() -> None:
    result = measured("plain", input_size=(3, 8, 8), sizes=((4, 8, 8), (3, 9, 9)))
    assert {count.input_size for count in result.counts} == {(3, 8, 8), (3, 9, 9)}


def test_records_survive_json() -> None:
    result = measured("plain", input_size=(3, 8, 8))
    assert from_json(json.loads(json.dumps(to_json(result)))) == result
    failure = Failure("x", "timeout", "no result after 1 s")
    assert from_json(to_json(failure)) == failure
    broken = to_json(result) | {"parameters": "many"}
    with pytest.raises(ValueError, match="int is needed"):
        from_json(broken)
    with pytest.raises(ValueError, match="other fields"):
        from_json(to_json(failure) | {"more": 1})
    with pytest.raises(ValueError, match="not a record"):
        from_json([])


def test_a_foreign_zoo_s_folder_wins_over_an_installed_package(tmp_path: Path) -> None:
    package = tmp_path / "zoo"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import torch\nfrom tools.helper import WIDTH\n"
        "def create_model(name):\n    return torch.nn.Linear(WIDTH, 2)\n"
        "def list_models():\n    return ['only']\n"
    )
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "helper.py").write_text("WIDTH = 5\n")
    result = measured("only", Factory("zoo:create_model", root=str(tmp_path)), input_size=(5,))
    assert result.parameters == 12
    assert measured("mixnet_s", ZOO).parameters == 4134606
