"""The models against what an independent implementation computed (tests/data/reference)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from tests.support.weights import seeded_image, seeded_state_dict
from zoo.layers import Conv2dSame
from zoo.mixnet import MixNet

REFERENCE = Path(__file__).parent.parent / "data" / "reference"
FIGURES: dict[str, dict[str, Any]] = json.loads((REFERENCE / "mixnet_reference.json").read_text())
SHAPES: dict[str, list[tuple[str, list[int]]]] = json.loads((REFERENCE / "mixnet_state_dict.json").read_text())
NAMES = list(FIGURES)


def test_the_reference_covers_the_zoo() -> None:
    assert sorted(zoo.list_models()) == sorted(NAMES) == sorted(SHAPES)


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_has_the_published_keys_order_and_shapes(name: str) -> None:
    with torch.device("meta"):
        model = zoo.create_model(name)
    state = [(key, list(entry.shape)) for key, entry in model.state_dict().items()]
    assert state == [(key, shape) for key, shape in SHAPES[name]]
    assert len(state) == FIGURES[name]["state_dict_entries"]
    assert sum(entry.nbytes for entry in model.state_dict().values()) == FIGURES[name]["state_dict_bytes"]


@pytest.fixture(scope="module", params=NAMES)
def name_and_model(request: pytest.FixtureRequest) -> tuple[str, MixNet]:
    """Each variant in turn, in evaluation mode, with the weights that the reference was computed with."""
    name: str = request.param
    with torch.device("meta"):
        model = zoo.create_model(name)
    model.load_state_dict(seeded_state_dict(name), assign=True)
    return name, model.eval()


def test_logits_are_the_reference_s(name_and_model: tuple[str, MixNet]) -> None:
    name, model = name_and_model
    with np.load(REFERENCE / "mixnet_logits.npz") as logits, torch.inference_mode():
        for height, width in ((224, 224), (193, 225)):
            expected = logits[f"{name}/{height}x{width}"].reshape(1, 1000)
            actual = model(seeded_image(height, width)).numpy()
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3 * expected.std())


def test_counts_are_the_reference_s(name_and_model: tuple[str, MixNet]) -> None:
    name, model = name_and_model
    figures = FIGURES[name]
    image = torch.zeros(1, 3, 224, 224)
    assert sum(parameter.numel() for parameter in model.parameters()) == figures["parameters"]
    assert sum(buffer.numel() for buffer in model.buffers()) == figures["buffers"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fvcore uses torch.jit, which torch has deprecated
        from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

        flops = FlopCountAnalysis(model, image).unsupported_ops_warnings(False)
        activations = ActivationCountAnalysis(model, image).unsupported_ops_warnings(False)
        assert flops.total() == figures["fvcore_flops_224"]
        assert flops.by_operator() == figures["fvcore_flops_by_operator"]
        assert activations.total() == figures["fvcore_activations_224"]


@pytest.mark.parametrize("name", NAMES)
def test_info_and_batch_norms_are_the_reference_s(name: str) -> None:
    info, figures = zoo.model_info(name), FIGURES[name]
    assert list(info.input_size) == figures["input_size"]
    assert info.crop_pct == figures["crop_pct"]
    assert info.interpolation == figures["interpolation"]
    assert list(info.mean) == figures["mean"]
    assert list(info.std) == figures["std"]
    assert (info.weights.url if info.weights else "") == figures["weights"]
    with torch.device("meta"):
        model = zoo.create_model(name)
    norms = {(m.eps, m.momentum) for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    assert norms == {(figures["bn_eps"], figures["bn_momentum"])}


def test_the_children_are_the_checkpoint_s() -> None:
    with torch.device("meta"):
        model = zoo.create_model("mixnet_s")
    assert [name for name, _ in model.named_children()] == [
        "conv_stem", "bn1", "act1", "blocks", "conv_head", "bn2", "act2", "global_pool", "flatten", "dropout",
        "classifier",
    ]  # fmt: skip
    # The paper's Figure 7a: 1 + 2 + 4 + 3 + 3 + 3 blocks.
    assert isinstance(model.blocks, torch.nn.Sequential)
    assert [len(stage) for stage in model.blocks if isinstance(stage, torch.nn.Sequential)] == [1, 2, 4, 3, 3, 3]


@pytest.mark.parametrize(("name", "strided"), [("mixnet_s", 0), ("tf_mixnet_s", 13)])
def test_only_strided_convolutions_of_tf_variants_pad_dynamically(name: str, strided: int) -> None:
    """The stem, stage 1's 3x3, and the MixConvs 3-5-7, 3-5-7 and 3-5-7-9-11 that halve: 1 + 1 + 3 + 3 + 5 = 13."""
    with torch.device("meta"):
        model = zoo.create_model(name)
    same = [module for module in model.modules() if isinstance(module, Conv2dSame)]
    assert len(same) == strided
    assert all(max(module.stride) == 2 for module in same)


def test_kinds_of_layers_are_recognisable() -> None:
    with torch.device("meta"):
        model = zoo.create_model("mixnet_s")
    kinds = [type(module).__name__ for module in model.modules()]
    # Every block from stage 2 on has a squeeze-excite: 4 + 3 + 3 + 3.
    assert kinds.count("SqueezeExcite") == 13
    # Depthwise: the same 13 blocks. Grouped expand: 2 + 3 + 0 + 3 + 0; grouped project: 2 + 3 + 3 + 3 + 2.
    assert kinds.count("MixConv") == 13 + 8 + 13
    assert kinds.count("Dropout") == 1


def test_features_are_a_32nd_of_the_image_rounded_up() -> None:
    with torch.device("meta"):
        for name in ("mixnet_s", "tf_mixnet_s"):
            model = zoo.create_model(name)
            assert model.forward_features(torch.empty(2, 3, 193, 225)).shape == (2, 1536, 7, 8)
            assert model(torch.empty(2, 3, 193, 225)).shape == (2, 1000)


def test_classes_and_channels_can_be_chosen() -> None:
    with torch.device("meta"):
        assert zoo.create_model("mixnet_s", num_classes=10, in_chans=5)(torch.empty(1, 5, 64, 64)).shape == (1, 10)
        assert zoo.create_model("mixnet_s", num_classes=0)(torch.empty(1, 3, 64, 64)).shape == (1, 1536)
    with pytest.raises(ValueError, match="num_classes must be 0"):
        zoo.create_model("mixnet_s", num_classes=-1)
    with pytest.raises(ValueError, match="in_chans must be 1"):
        zoo.create_model("mixnet_s", in_chans=0)


def test_a_fresh_model_trains() -> None:
    torch.manual_seed(0)
    model = zoo.create_model("mixnet_s", num_classes=2)
    assert isinstance(model, MixNet)
    assert model.training
    loss = torch.nn.functional.cross_entropy(model(torch.randn(2, 3, 64, 64)), torch.tensor([0, 1]))
    torch.autograd.backward([loss])
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_fresh_weights_keep_the_variance() -> None:
    """Convolutions are drawn with variance 2 / (kernel area x output channels / groups), the classifier uniformly."""
    torch.manual_seed(0)
    model = zoo.create_model("mixnet_m")
    assert isinstance(model.conv_head, torch.nn.Conv2d)
    assert model.conv_head.weight.std().item() == pytest.approx((2 / 1536) ** 0.5, rel=0.02)
    depthwise = model.get_submodule("blocks.5.1.conv_dw.3")
    assert isinstance(depthwise.weight, torch.Tensor)
    assert depthwise.weight.std().item() == pytest.approx((2 / 81) ** 0.5, rel=0.02)
    assert isinstance(model.classifier, torch.nn.Linear)
    assert model.classifier.weight.abs().max().item() == pytest.approx(1000**-0.5, rel=0.001)
    assert not model.classifier.bias.any()
