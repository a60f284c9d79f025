"""The architecture of a variant, drawn from the table that its code builds it from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from tools.site.html import render
from tools.site.numbers import TIMES

if TYPE_CHECKING:
    from zoo.architecture import StageRow
    from zoo.registry import ModelInfo

_LEFT, _BLOCK, _GAP, _ROW, _BLOCK_HEIGHT = 184, 82, 8, 78, 60
_BAR_AREA = 64
_SHADES = 5
_FRACTIONS = {0.5: "½", 0.25: "¼", 0.125: "⅛"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One kernel size of a block: ``x`` and ``width`` show its share of the channels, ``height`` its size."""

    x: float
    width: float
    height: float
    kernel: int
    shade: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block as it is drawn."""

    x: int
    bars: tuple[Bar, ...]
    row: StageRow
    stride: int
    title: str


@dataclass(frozen=True, slots=True)
class Stage:
    """All blocks of one resolution and channel count."""

    y: int
    number: int
    height: int
    width: int
    channels: int
    blocks: tuple[Block, ...]


def draw(info: ModelInfo) -> Markup:
    """An SVG figure of the stages with each block's kernels, squeeze-excite and activation, and the same as a table."""
    stages = _stages(info)
    columns = max(len(stage.blocks) for stage in stages)
    return render(
        "architecture.html",
        info=info,
        id=f"arch-{identifier(info.name)}",
        stages=stages,
        block=(_BLOCK, _BLOCK_HEIGHT),
        width=max(640, _LEFT + columns * (_BLOCK + _GAP)),
        height=(len(stages) + 2) * _ROW,
        left=_LEFT,
        row=_ROW,
        stem=(_half(info.input_size[1]), _half(info.input_size[2])),
        kernels=[(size, _shade(size)) for size in sorted({k for stage in info.stages for k in stage.kernels})],
        fraction=lambda ratio: _FRACTIONS.get(ratio, f"{ratio:g}"),
    )


def identifier(name: str) -> str:
    """``name`` as part of an HTML id: letters and digits stay, the rest becomes its code point."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"-{ord(c):x}" for c in name)


def _stages(info: ModelInfo) -> tuple[Stage, ...]:
    height, width = _half(info.input_size[1]), _half(info.input_size[2])
    drawn = []
    for n, (number, group) in enumerate(groupby(info.stages, key=lambda row: row.stage)):
        rows = list(group)
        strides = [row.stride if i == 0 else 1 for row in rows for i in range(row.repeats)]
        for stride in strides:
            height, width = -(-height // stride), -(-width // stride)
        blocks = tuple(
            Block(_LEFT + i * (_BLOCK + _GAP), _bars(row.kernels), row, stride, _title(row, stride))
            for i, (row, stride) in enumerate(zip(_repeated(rows), strides, strict=True))
        )
        drawn.append(Stage((n + 1) * _ROW, number, height, width, rows[-1].channels, blocks))
    return tuple(drawn)


def _repeated(rows: Sequence[StageRow]) -> list[StageRow]:
    return [row for row in rows for _ in range(row.repeats)]


def _bars(kernels: Sequence[int]) -> tuple[Bar, ...]:
    share = _BAR_AREA / len(kernels)
    return tuple(
        Bar(
            round((_BLOCK - _BAR_AREA) / 2 + i * share, 1),
            round(share - 1.5, 1),
            min(kernel, 12) * 2.4,
            kernel,
            _shade(kernel),
        )
        for i, kernel in enumerate(kernels)
    )


def _shade(kernel: int) -> int:
    """3, 5, 7, 9 and 11 have a shade each."""
    return min(max((kernel - 3) // 2, 0), _SHADES - 1)


def _title(row: StageRow, stride: int) -> str:
    kernels = ", ".join(f"{k}{TIMES}{k}" for k in row.kernels)
    parts = [
        f"depthwise {kernels}" if len(row.kernels) == 1 else f"MixConv {kernels}",
        f"expansion {row.expansion}",
        f"{row.channels} channels out",
        f"stride {stride}",
        f"squeeze-excite {row.se_ratio:g}" if row.se_ratio else "no squeeze-excite",
        "SiLU" if row.activation == "silu" else "ReLU" if row.activation == "relu" else row.activation,
    ]
    if len(row.expand_kernels) > 1:
        parts.append(f"1{TIMES}1 expansion in {len(row.expand_kernels)} groups")
    if len(row.project_kernels) > 1:
        parts.append(f"1{TIMES}1 projection in {len(row.project_kernels)} groups")
    return "; ".join(parts)


def _half(pixels: int) -> int:
    """The stem's stride of 2, rounded up as its padding does."""
    return -(-pixels // 2)
