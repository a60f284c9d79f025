"""The counter ``thop-0.0.31``: the figures of the published MixNet cards.

That tool hung a hook on every module whose type it knew **exactly**, so a subclass (a convolution that pads like
TensorFlow) counted nothing, and neither did anything that a ``forward`` does with functions.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

RULES = {
    "Conv2d": "output elements x (in_channels / groups x kernel height x kernel width + (1 if it has a bias))",
    "BatchNorm2d": "2 x input elements (also BatchNorm1d and BatchNorm3d)",
    "AvgPool2d": "1 x output elements (also AvgPool1d and AvgPool3d)",
    "AdaptiveAvgPool2d": "(floor(input height / output height) x floor(input width / output width) + 1) x output "
    "elements (also in one and three dimensions)",
    "Linear": "in_features x out_features, for each row of the input; the classifier (the last one) counts 0",
}
"""What is counted, by the exact type of the module. Everything else, and every subclass, counts 0."""


def last_linear(model: nn.Module) -> nn.Linear | None:
    """The classifier: the last linear layer in the order of the modules."""
    from torch import nn

    found = None
    for module in model.modules():
        if isinstance(module, nn.Linear):
            found = module
    return found


def operations(module: nn.Module, given: torch.Tensor, made: torch.Tensor, classifier: nn.Module | None) -> int:
    """What the counter adds for one call of ``module``, in its own unit."""
    from torch import nn

    kind = type(module)
    if kind is nn.Conv2d:
        assert isinstance(module, nn.Conv2d)
        height, width = module.kernel_size
        per_output = module.in_channels // module.groups * height * width + (module.bias is not None)
        return made.numel() * per_output
    if kind in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
        return 2 * given.numel()
    if kind in (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d):
        return made.numel()
    if kind in (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d):
        spatial = made.dim() - 2
        window = prod(
            before // after for before, after in zip(given.shape[-spatial:], made.shape[-spatial:], strict=True)
        )
        return (window + 1) * made.numel()
    if kind is nn.Linear and module is not classifier:
        assert isinstance(module, nn.Linear)
        return given.numel() * module.out_features
    return 0
