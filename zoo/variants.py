"""The eight MixNet variants. Imports no torch.

S, M and L are the paper's (https://arxiv.org/abs/1907.09595, Table 2 and section 4). XL and XXL are M scaled further,
which the paper does not have. The ``tf_`` variants hold the authors' own weights, ported from TensorFlow: they need its
SAME padding and its batch-norm epsilon of 1e-3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.architecture import MIXNET_M, MIXNET_S, Architecture, scale
from zoo.registry import ModelInfo
from zoo.weights import Weights

if TYPE_CHECKING:
    from zoo.mixnet import MixNet

PAPER = "https://arxiv.org/abs/1907.09595"
RELEASE = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"

MIXNET_L = scale(MIXNET_M, width=1.3)
MIXNET_XL = scale(MIXNET_M, width=1.6, depth=1.2)
MIXNET_XXL = scale(MIXNET_M, width=2.4, depth=1.3)


def _variant(size: str, architecture: Architecture, weights: str | None, *, tensorflow: bool = False) -> ModelInfo:
    if tensorflow:
        architecture = replace(architecture, same_padding=True, batch_norm_eps=1e-3)
    return ModelInfo(
        name=f"tf_mixnet_{size}" if tensorflow else f"mixnet_{size}",
        title=f"MixNet-{size.upper()}",
        family="TF MixNet" if tensorflow else "MixNet",
        paper=PAPER,
        architecture=architecture,
        weights=Weights(RELEASE + weights) if weights else None,
    )


VARIANTS = (
    _variant("s", MIXNET_S, "mixnet_s-a907afbc.pth"),
    _variant("m", MIXNET_M, "mixnet_m-4647fc68.pth"),
    _variant("l", MIXNET_L, "mixnet_l-5a9a2ed8.pth"),
    _variant("xl", MIXNET_XL, "mixnet_xl_ra-aac3c00c.pth"),
    _variant("xxl", MIXNET_XXL, None),
    _variant("s", MIXNET_S, "tf_mixnet_s-89d3354b.pth", tensorflow=True),
    _variant("m", MIXNET_M, "tf_mixnet_m-0f4d8805.pth", tensorflow=True),
    _variant("l", MIXNET_L, "tf_mixnet_l-6c92e0c8.pth", tensorflow=True),
)


def build(architecture: Architecture, num_classes: int, in_chans: int) -> MixNet:
    """Build a MixNet; torch is imported here and not before."""
    from zoo.mixnet import MixNet

    return MixNet(architecture, num_classes=num_classes, in_chans=in_chans)
