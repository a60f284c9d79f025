"""MixNet (https://arxiv.org/abs/1907.09595) in PyTorch, built from an architecture's table.

The modules' names and order are those of the published checkpoints, which load strictly.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from zoo.architecture import Architecture, StageRow
from zoo.layers import SqueezeExcite, conv2d

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}


class DepthwiseSeparable(nn.Module):
    """A depthwise convolution, then a 1x1 convolution to ``channels``, which no activation follows."""

    def __init__(self, in_channels: int, row: StageRow, stride: int, architecture: Architecture) -> None:
        super().__init__()
        same = architecture.same_padding
        self.conv_dw = conv2d(in_channels, in_channels, row.kernels, stride=stride, depthwise=True, same_padding=same)
        self.bn1 = _batch_norm(in_channels, architecture)
        self.act1 = _ACTIVATIONS[row.activation]()
        self.se = _squeeze_excite(in_channels, in_channels, row)
        self.conv_pw = conv2d(in_channels, row.channels, row.project_kernels)
        self.bn2 = _batch_norm(row.channels, architecture)
        self.has_skip = stride == 1 and in_channels == row.channels

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, in_channels, H, W)`` to ``(B, channels, ceil(H / stride), ceil(W / stride))``."""
        y = self.act1(self.bn1(self.conv_dw(x)))
        y = self.bn2(self.conv_pw(self.se(y)))
        return _sum(x, y, self.has_skip)


class InvertedResidual(nn.Module):
    """Expands the channels, convolves them depthwise, gates them by squeeze-excite and projects them to ``channels``.

    The block of MobileNetV2 (https://arxiv.org/abs/1801.04381) with MixConv for its depthwise convolution.
    """

    def __init__(self, in_channels: int, row: StageRow, stride: int, architecture: Architecture) -> None:
        super().__init__()
        same = architecture.same_padding
        expanded = in_channels * row.expansion
        activation = _ACTIVATIONS[row.activation]
        self.conv_pw = conv2d(in_channels, expanded, row.expand_kernels)
        self.bn1 = _batch_norm(expanded, architecture)
        self.act1 = activation()
        self.conv_dw = conv2d(expanded, expanded, row.kernels, stride=stride, depthwise=True, same_padding=same)
        self.bn2 = _batch_norm(expanded, architecture)
        self.act2 = activation()
        self.se = _squeeze_excite(in_channels, expanded, row)
        self.conv_pwl = conv2d(expanded, row.channels, row.project_kernels)
        self.bn3 = _batch_norm(row.channels, architecture)
        self.has_skip = stride == 1 and in_channels == row.channels

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, in_channels, H, W)`` to ``(B, channels, ceil(H / stride), ceil(W / stride))``."""
        y = self.act1(self.bn1(self.conv_pw(x)))
        y = self.act2(self.bn2(self.conv_dw(y)))
        y = self.bn3(self.conv_pwl(self.se(y)))
        return _sum(x, y, self.has_skip)


class MixNet(nn.Module):
    """The classifier: stem, stages of blocks, head, global average pooling, dropout and a linear layer.

    Args:
        architecture: the table to build.
        num_classes: how many logits an image gets; 0 leaves the linear layer out, and the model returns
            ``head_channels`` pooled features.
        in_chans: channels of the input images.

    Raises:
        ValueError: ``num_classes`` is negative or ``in_chans`` less than 1.
    """

    def __init__(self, architecture: Architecture, *, num_classes: int = 1000, in_chans: int = 3) -> None:
        super().__init__()
        if num_classes < 0:
            raise ValueError(f"num_classes must be 0 (no classifier) or more, not {num_classes}")
        if in_chans < 1:
            raise ValueError(f"in_chans must be 1 or more, not {in_chans}")
        self.num_classes = num_classes
        stem, head = architecture.stem_channels, architecture.head_channels
        self.conv_stem = conv2d(in_chans, stem, (3,), stride=2, same_padding=architecture.same_padding)
        self.bn1 = _batch_norm(stem, architecture)
        self.act1 = nn.ReLU()
        self.blocks = _stages(architecture)
        self.conv_head = conv2d(architecture.stages[-1].channels, head, (1,))
        self.bn2 = _batch_norm(head, architecture)
        self.act2 = nn.ReLU()
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(architecture.dropout)
        self.classifier = nn.Linear(head, num_classes) if num_classes else nn.Identity()
        self.apply(_initialise)

    def forward_features(self, x: Tensor) -> Tensor:
        """Map images ``(B, in_chans, H, W)`` to features ``(B, head_channels, ceil(H / 32), ceil(W / 32))``."""
        x = self.act1(self.bn1(self.conv_stem(x)))
        x = self.blocks(x)
        features: Tensor = self.act2(self.bn2(self.conv_head(x)))
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, in_chans, H, W)`` to logits ``(B, num_classes)``."""
        x = self.flatten(self.global_pool(self.forward_features(x)))
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


def _stages(architecture: Architecture) -> nn.Sequential:
    """Return the blocks as stage -> block: ``blocks.2.0`` is the first block of the third stage."""
    stages: list[nn.Sequential] = []
    in_channels = architecture.stem_channels
    for row in architecture.stages:
        if row.stage == len(stages):
            stages.append(nn.Sequential())
        block = DepthwiseSeparable if row.expansion == 1 else InvertedResidual
        for repeat in range(row.repeats):
            stages[row.stage].append(block(in_channels, row, row.stride if repeat == 0 else 1, architecture))
            in_channels = row.channels
    return nn.Sequential(*stages)


def _batch_norm(channels: int, architecture: Architecture) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=architecture.batch_norm_eps, momentum=architecture.batch_norm_momentum)


def _squeeze_excite(block_channels: int, channels: int, row: StageRow) -> nn.Module:
    squeezed = round(block_channels * row.se_ratio)
    return SqueezeExcite(channels, squeezed, _ACTIVATIONS[row.activation]) if squeezed else nn.Identity()


def _sum(x: Tensor, y: Tensor, has_skip: bool) -> Tensor:
    return x + y if has_skip else y


def _initialise(module: nn.Module) -> None:
    """Draw fresh weights as the authors' TensorFlow code does."""
    if any(parameter.is_meta for parameter in module.parameters(recurse=False)):
        return  # There is nothing to draw into, and trying to has torch import its compiler: more than a second.
    if isinstance(module, nn.Conv2d):
        fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        bound = 1.0 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)
