"""The MixNet architectures as tables, to be held beside Figure 7 of the paper.

Source: Mingxing Tan and Quoc V. Le, "MixConv: Mixed Depthwise Convolutional Kernels", https://arxiv.org/abs/1907.09595.
Where the figure leaves something open (which 1x1 convolutions are grouped, squeeze-excite ratios, dropout) the authors'
TensorFlow code at https://github.com/tensorflow/tpu/tree/master/models/official/mnasnet/mixnet decides. Nothing here
imports torch: :mod:`zoo.mixnet` turns a table into modules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True, slots=True)
class StageRow:
    """One row of an architecture's table: ``repeats`` blocks that differ only in the first one's input and stride."""

    stage: int
    """Which of the model's stages the row belongs to; a stage's resolution and channels are the same throughout."""
    repeats: int
    kernels: tuple[int, ...]
    """Sizes of the depthwise kernels. Several: a MixConv, whose channels are split evenly over them."""
    expansion: int
    """Channels inside the block per channel that comes in. 1: a depthwise separable block, which does not expand."""
    channels: int
    """Channels that each block returns."""
    stride: int
    """The first block's stride; the others have stride 1."""
    se_ratio: float
    """Squeezed channels of the squeeze-excite per channel *entering the block*; 0: the block has none."""
    activation: str
    """``relu`` or ``silu`` (the paper's swish)."""
    expand_kernels: tuple[int, ...] = (1,)
    """Kernels of the 1x1 convolution that expands; ``(1, 1)``: two groups."""
    project_kernels: tuple[int, ...] = (1,)
    """Kernels of the 1x1 convolution that projects back to ``channels``; ``(1, 1)``: two groups."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """All that :class:`zoo.mixnet.MixNet` needs to know."""

    stages: tuple[StageRow, ...]
    stem_channels: int
    dropout: float
    """Probability of the dropout before the classifier (active in training mode only)."""
    head_channels: int = 1536
    same_padding: bool = False
    """TensorFlow's SAME padding, computed from each input's size, instead of a symmetric padding of ``kernel // 2``."""
    batch_norm_eps: float = 1e-5
    batch_norm_momentum: float = 0.1


# fmt: off
MIXNET_S = Architecture(stem_channels=16, dropout=0.2, stages=(
    # stage, repeats, kernels, expansion, channels, stride, squeeze-excite, activation, grouped expand, grouped project
    StageRow(0, 1, (3,),             1,  16, 1, 0.0,  "relu"),
    StageRow(1, 1, (3,),             6,  24, 2, 0.0,  "relu", (1, 1), (1, 1)),
    StageRow(1, 1, (3,),             3,  24, 1, 0.0,  "relu", (1, 1), (1, 1)),
    StageRow(2, 1, (3, 5, 7),        6,  40, 2, 0.5,  "silu", (1,),   (1,)),
    StageRow(2, 3, (3, 5),           6,  40, 1, 0.5,  "silu", (1, 1), (1, 1)),
    StageRow(3, 1, (3, 5, 7),        6,  80, 2, 0.25, "silu", (1,),   (1, 1)),
    StageRow(3, 2, (3, 5),           6,  80, 1, 0.25, "silu", (1,),   (1, 1)),
    StageRow(4, 1, (3, 5, 7),        6, 120, 1, 0.5,  "silu", (1, 1), (1, 1)),
    StageRow(4, 2, (3, 5, 7, 9),     3, 120, 1, 0.5,  "silu", (1, 1), (1, 1)),
    StageRow(5, 1, (3, 5, 7, 9, 11), 6, 200, 2, 0.5,  "silu", (1,),   (1,)),
    StageRow(5, 2, (3, 5, 7, 9),     6, 200, 1, 0.5,  "silu", (1,),   (1, 1)),
))

MIXNET_M = Architecture(stem_channels=24, dropout=0.25, stages=(
    # stage, repeats, kernels, expansion, channels, stride, squeeze-excite, activation, grouped expand, grouped project
    StageRow(0, 1, (3,),             1,  24, 1, 0.0,  "relu"),
    StageRow(1, 1, (3, 5, 7),        6,  32, 2, 0.0,  "relu", (1, 1), (1, 1)),
    StageRow(1, 1, (3,),             3,  32, 1, 0.0,  "relu", (1, 1), (1, 1)),
    StageRow(2, 1, (3, 5, 7, 9),     6,  40, 2, 0.5,  "silu", (1,),   (1,)),
    StageRow(2, 3, (3, 5),           6,  40, 1, 0.5,  "silu", (1, 1), (1, 1)),
    StageRow(3, 1, (3, 5, 7),        6,  80, 2, 0.25, "silu", (1,),   (1,)),
    StageRow(3, 3, (3, 5, 7, 9),     6,  80, 1, 0.25, "silu", (1, 1), (1, 1)),
    StageRow(4, 1, (3,),             6, 120, 1, 0.5,  "silu", (1,),   (1,)),
    StageRow(4, 3, (3, 5, 7, 9),     3, 120, 1, 0.5,  "silu", (1, 1), (1, 1)),
    StageRow(5, 1, (3, 5, 7, 9),     6, 200, 2, 0.5,  "silu", (1,),   (1,)),
    StageRow(5, 3, (3, 5, 7, 9),     6, 200, 1, 0.5,  "silu", (1,),   (1, 1)),
))
# fmt: on


def scale(architecture: Architecture, *, width: float = 1.0, depth: float = 1.0) -> Architecture:
    """Return a wider and deeper architecture; the head keeps its channels.

    The stem and every row have their channels multiplied by ``width`` and rounded by :func:`round_channels`. Every
    stage has its number of blocks multiplied by ``depth`` and rounded, and its rows share them in proportion.
    """
    stages: list[StageRow] = []
    for _, group in groupby(architecture.stages, key=lambda row: row.stage):
        rows = list(group)
        repeats = _scale_repeats([row.repeats for row in rows], depth)
        stages += [
            replace(row, repeats=count, channels=round_channels(row.channels * width))
            for row, count in zip(rows, repeats, strict=True)
        ]
    stem_channels = round_channels(architecture.stem_channels * width)
    return replace(architecture, stages=tuple(stages), stem_channels=stem_channels)


def round_channels(channels: float, divisor: int = 8) -> int:
    """Round to the nearest multiple of ``divisor``, up where the nearest is more than 10 % too few."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def _scale_repeats(repeats: list[int], depth: float) -> list[int]:
    """Share the scaled number of a stage's blocks over its rows, beginning with the last.

    The last row, which holds most of the blocks, takes its share first, so that the first row, which changes the
    resolution, grows last.
    """
    total = sum(repeats)
    left = max(1, round(total * depth))
    scaled = []
    for count in reversed(repeats):
        share = max(1, round(count / total * left))
        scaled.append(share)
        total -= count
        left -= share
    return scaled[::-1]
