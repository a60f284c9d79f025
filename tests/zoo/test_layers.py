"""Layers on inputs small enough to follow by hand."""

from __future__ import annotations

import pytest
import torch

from zoo.layers import Conv2dSame, MixConv, SqueezeExcite, conv2d, same_padding, split_channels


@pytest.mark.parametrize(
    ("channels", "groups", "split"),
    [(32, 2, [16, 16]), (32, 3, [12, 10, 10]), (720, 5, [144] * 5), (10, 4, [4, 2, 2, 2]), (5, 1, [5])],
)
def test_the_first_group_takes_the_remainder(channels: int, groups: int, split: list[int]) -> None:
    assert split_channels(channels, groups) == split


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "padding"),
    [
        (224, 3, 2, 1, 1),  # 112 outputs reach over (112 - 1) * 2 + 3 = 225 rows
        (225, 3, 2, 1, 2),  # 113 outputs reach over 227 rows
        (7, 11, 2, 1, 10),  # 4 outputs reach over 17 rows
        (5, 1, 2, 1, 0),  # 3 outputs reach over 5 rows
        (4, 1, 2, 1, 0),  # 2 outputs reach over 3 rows: none is added
        (8, 3, 1, 2, 4),  # 8 outputs reach over 12 rows
    ],
)
def test_same_padding(size: int, kernel: int, stride: int, dilation: int, padding: int) -> None:
    assert same_padding(size, kernel, stride, dilation) == padding


def test_an_odd_padding_goes_to_the_bottom_and_right() -> None:
    """A 2x2 image of ones under a 3x3 kernel of ones at stride 2: one output, one row and column of zeros after."""
    conv = Conv2dSame(1, 1, 3, stride=2, bias=False)
    torch.nn.init.ones_(conv.weight)
    # The kernel covers the 2x2 ones, not 1x1 of them as with a symmetric padding of 1.
    assert conv(torch.ones(1, 1, 2, 2)).tolist() == [[[[4.0]]]]
    assert conv2d(1, 1, (3,), stride=2)(torch.ones(1, 1, 2, 2)).shape == (1, 1, 1, 1)
    # Rows 0-2 and 2-4 of 4 (the last is padding): 3 and 2 ones high, 3 and 2 wide.
    assert conv(torch.ones(1, 1, 4, 4)).tolist() == [[[[9.0, 6.0], [6.0, 4.0]]]]


def test_mixconv_convolves_each_group_with_its_own_kernel() -> None:
    conv = MixConv(4, 4, (1, 3), depthwise=True)
    for parameter in conv.parameters():
        torch.nn.init.ones_(parameter)
    assert {name: tuple(p.shape) for name, p in conv.named_parameters()} == {
        "0.weight": (2, 1, 1, 1),
        "1.weight": (2, 1, 3, 3),
    }
    image = torch.arange(1.0, 5.0).view(1, 4, 1, 1)
    # A single pixel: every kernel of ones sees it alone.
    assert conv(image).flatten().tolist() == [1.0, 2.0, 3.0, 4.0]
    # 2x2 pixels: the 1x1 kernels see one pixel each, the 3x3 kernels all four.
    assert conv(image.expand(1, 4, 2, 2))[0, :, 0, 0].tolist() == [1.0, 2.0, 12.0, 16.0]


def test_a_grouped_1x1_mixconv_mixes_within_its_groups_only() -> None:
    conv = MixConv(4, 2, (1, 1))
    for parameter in conv.parameters():
        torch.nn.init.ones_(parameter)
    assert conv(torch.tensor([1.0, 2.0, 10.0, 20.0]).view(1, 4, 1, 1)).flatten().tolist() == [3.0, 30.0]


def test_one_kernel_is_a_plain_convolution() -> None:
    assert type(conv2d(8, 16, (3,), same_padding=True)) is torch.nn.Conv2d
    assert type(conv2d(8, 16, (3,), stride=2, same_padding=True)) is Conv2dSame
    assert type(conv2d(8, 8, (3, 5), depthwise=True)) is MixConv


def test_squeeze_excite_gates_by_the_means() -> None:
    layer = SqueezeExcite(2, 1, torch.nn.ReLU)
    layer.load_state_dict(
        {
            "conv_reduce.weight": torch.ones(1, 2, 1, 1),
            "conv_reduce.bias": torch.zeros(1),
            "conv_expand.weight": torch.tensor([0.0, 1.0]).view(2, 1, 1, 1),
            "conv_expand.bias": torch.zeros(2),
        }
    )
    image = torch.tensor([[1.0, 3.0], [2.0, 2.0]]).view(1, 2, 1, 2)
    # Means 2 and 2, squeezed to 4, gates sigmoid(0) and sigmoid(4).
    gate = torch.sigmoid(torch.tensor(4.0)).item()
    expected = [0.5, 1.5, 2 * gate, 2 * gate]
    assert layer(image).flatten().tolist() == pytest.approx(expected)
