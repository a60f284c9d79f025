"""The layers that MixNet is made of. Tensors are images: ``(batch, channels, height, width)``.

MixConv is described in section 3 of https://arxiv.org/abs/1907.09595, squeeze-excite in
https://arxiv.org/abs/1709.01507, SAME padding in TensorFlow's guide to ``tf.nn``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Conv2dSame(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: the output has ``ceil(size / stride)`` rows and columns.

    The padding follows from the size of each input, and where it is odd the bottom and right get the extra row and
    column. A symmetric padding of ``kernel // 2`` differs from it wherever the stride is not 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve: ``(B, in_channels, H, W)`` to ``(B, out_channels, ceil(H / stride), ceil(W / stride))``."""
        height, width = (
            same_padding(size, kernel, stride, dilation)
            for size, kernel, stride, dilation in zip(
                x.shape[-2:], self.kernel_size, self.stride, self.dilation, strict=True
            )
        )
        padded = functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """Return how many rows (or columns) SAME padding adds to ``size`` of them, both sides together."""
    outputs = -(-size // stride)
    return max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)


def split_channels(channels: int, groups: int) -> list[int]:
    """Split ``channels`` evenly over ``groups``; the first group takes the remainder.

    >>> split_channels(32, 3)
    [12, 10, 10]
    """
    share = channels // groups
    return [channels - share * (groups - 1)] + [share] * (groups - 1)


class MixConv(nn.ModuleDict):
    """A mixed convolution: the channels are split into groups, each convolved with a kernel of its own size.

    The paper's MixConv is the depthwise one. With kernels ``(1, 1)`` and ``depthwise=False`` it is the grouped 1x1
    convolution of the paper's code. The convolutions are named ``0``, ``1`` … in the order of ``kernels``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernels: Sequence[int],
        *,
        stride: int = 1,
        depthwise: bool = False,
        same_padding: bool = False,
    ) -> None:
        super().__init__()
        self.in_splits = split_channels(in_channels, len(kernels))
        out_splits = split_channels(out_channels, len(kernels))
        for index, (group_in, group_out, kernel) in enumerate(zip(self.in_splits, out_splits, kernels, strict=True)):
            self[str(index)] = conv2d(
                group_in, group_out, (kernel,), stride=stride, depthwise=depthwise, same_padding=same_padding
            )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve each group of channels and concatenate the results."""
        groups = torch.split(x, self.in_splits, dim=1)
        return torch.cat([conv(group) for conv, group in zip(self.values(), groups, strict=True)], dim=1)


def conv2d(
    in_channels: int,
    out_channels: int,
    kernels: Sequence[int],
    *,
    stride: int = 1,
    depthwise: bool = False,
    same_padding: bool = False,
) -> nn.Module:
    """Return the convolution without bias that an architecture's table asks for.

    Several ``kernels`` make a :class:`MixConv`. With ``same_padding`` a strided convolution is a :class:`Conv2dSame`;
    at stride 1 SAME padding is symmetric for the odd kernels used here, and a plain ``nn.Conv2d`` does it.
    """
    if len(kernels) > 1:
        return MixConv(
            in_channels, out_channels, kernels, stride=stride, depthwise=depthwise, same_padding=same_padding
        )
    kernel = kernels[0]
    groups = in_channels if depthwise else 1
    if same_padding and stride > 1:
        return Conv2dSame(in_channels, out_channels, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: scales each channel by a gate that is computed from the means of all channels."""

    def __init__(self, channels: int, squeezed: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, squeezed, 1)
        self.act = activation()
        self.conv_expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` times its gates."""
        means = x.mean((2, 3), keepdim=True)
        gates: Tensor = self.gate(self.conv_expand(self.act(self.conv_reduce(means))))
        return x * gates
