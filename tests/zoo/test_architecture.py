"""The tables and their scaling, against the paper's figure and numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

import zoo
from zoo.architecture import MIXNET_M, MIXNET_S, Architecture, StageRow, round_channels, scale


@pytest.mark.parametrize(
    ("channels", "rounded"),
    [
        (31.2, 32),  # 24 x 1.3
        (52.0, 56),  # 40 x 1.3: halfway between two multiples goes up
        (41.6, 40),  # 32 x 1.3: 40 is 3.8 % too few
        (38.4, 40),  # 24 x 1.6
        (57.6, 56),  # 24 x 2.4
        (19.0, 24),  # the nearest, 16, is 15.8 % too few
        (3.0, 8),  # never less than one multiple
    ],
)
def test_channels_are_rounded_to_multiples_of_8(channels: float, rounded: int) -> None:
    assert round_channels(channels) == rounded


def test_depth_is_shared_by_a_stage_s_rows() -> None:
    """M's stages have 1, 2, 4, 4, 4, 4 blocks; times 1.2: 1.2, 2.4, 4.8 ... -> 1, 2, 5, 5, 5, 5.

    Of the five, the last row, with three of the four blocks, takes 3/4 x 5 = 3.75 -> 4.
    """
    assert [row.repeats for row in scale(MIXNET_M, depth=1.2).stages] == [1, 1, 1, 1, 4, 1, 4, 1, 4, 1, 4]
    # times 1.3: 1.3, 2.6, 5.2 ... -> 1, 3, 5 ...; of the three, the last row takes 1.5 -> 2.
    assert [row.repeats for row in scale(MIXNET_M, depth=1.3).stages] == [1, 1, 2, 1, 4, 1, 4, 1, 4, 1, 4]


def test_no_row_vanishes() -> None:
    assert [row.repeats for row in scale(MIXNET_S, depth=0.1).stages] == [1] * 11


def test_scaling_by_one_changes_nothing() -> None:
    assert scale(MIXNET_S) == MIXNET_S
    assert scale(MIXNET_M) == MIXNET_M


def test_width_widens_the_stem_and_the_rows_but_not_the_head() -> None:
    wide = scale(MIXNET_M, width=1.3)
    assert wide.stem_channels == 32
    assert wide.head_channels == 1536
    # 24, 32, 32, 40, 40, 80, 80, 120, 120, 200, 200 x 1.3 = 31.2, 41.6, 41.6, 52, 52, 104, 104, 156, 156, 260, 260
    assert [row.channels for row in wide.stages] == [32, 40, 40, 56, 56, 104, 104, 160, 160, 264, 264]


def test_the_tables_are_the_paper_s_figure() -> None:
    """Figure 7 gives the kernels of each MixConv; the resolution is halved at the rows that stride."""
    largest = [max(row.kernels) for row in MIXNET_S.stages]
    assert largest == [3, 3, 3, 7, 5, 7, 5, 7, 9, 11, 9]
    assert [row.stride for row in MIXNET_S.stages] == [1, 2, 1, 2, 1, 2, 1, 1, 1, 2, 1]
    assert sum(row.repeats for row in MIXNET_S.stages) == 16
    assert sum(row.repeats for row in MIXNET_M.stages) == 19


def test_info_shows_the_scaled_table() -> None:
    info = zoo.model_info("mixnet_xl")
    assert info.stem_channels == 40
    assert info.head_channels == 1536
    assert info.stages[-1] == StageRow(5, 4, (3, 5, 7, 9), 6, 320, 1, 0.5, "silu", (1,), (1, 1))
    ported = zoo.model_info("tf_mixnet_l").architecture
    assert ported == replace(zoo.model_info("mixnet_l").architecture, same_padding=True, batch_norm_eps=1e-3)


def test_a_table_of_one_s_own_can_be_built() -> None:
    import torch

    from zoo.mixnet import MixNet

    tiny = Architecture(
        stem_channels=8,
        head_channels=16,
        dropout=0.0,
        stages=(
            StageRow(0, 1, (3, 5), 1, 8, 1, 0.5, "silu"),
            StageRow(1, 2, (3,), 2, 12, 2, 0.0, "relu"),
        ),
    )
    model = MixNet(tiny, num_classes=3)
    # stem 3x8x9 + bn 16; block 0: depthwise 4x9 + 4x25, bn 16, squeeze-excite 8x4+4 + 4x8+8, pointwise 8x8, bn 16;
    # block 1: 8x16, bn 32, 16x9, bn 32, 16x12, bn 24; block 2: 12x24, bn 48, 24x9, bn 48, 24x12, bn 24;
    # head 12x16, bn 32; classifier 16x3 + 3.
    by_hand = 216 + 16 + (136 + 16 + 76 + 64 + 16) + (128 + 32 + 144 + 32 + 192 + 24)
    by_hand += (288 + 48 + 216 + 48 + 288 + 24) + 192 + 32 + 51
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand
    assert model(torch.zeros(2, 3, 33, 47)).shape == (2, 3)
