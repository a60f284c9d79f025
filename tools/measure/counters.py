"""The counters: conventions of what a FLOP is. A number without its counter is not a measurement."""

from __future__ import annotations

from collections import Counter as Numbers
from collections.abc import Callable
from dataclasses import dataclass

from tools.measure import thop
from tools.measure.records import Count, InputSize
from tools.measure.stages import sum_by_stage
from tools.measure.tally import ByModule, Tally, by_module

MATRIX_OPERATORS = ("conv", "linear", "addmm", "mm", "matmul", "bmm", "einsum")
"""fvcore's names of convolutions and matrix products."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One convention. The site's page about counters is rendered from these."""

    name: str
    title: str
    description: str
    """What is counted, in which unit, and what is left out."""
    counts: tuple[tuple[str, str], ...]
    """Rows of a table: what is counted, and as what."""
    table: Callable[[Tally], ByModule]
    """Picks the counter's numbers out of what a run yielded."""


def _fvcore(tally: Tally) -> ByModule:
    return tally.flops


def _fvcore_plus(tally: Tally) -> ByModule:
    table = by_module()
    for module in tally.flops.keys() | tally.own.keys():
        table[module] = tally.flops[module] + tally.own[module]
    return table


def _torch(tally: Tally) -> ByModule:
    table = by_module()
    for module, numbers in tally.matrix.items():
        table[module] = Numbers({name: number // 2 for name, number in numbers.items()})
    return table


def _conv_linear(tally: Tally) -> ByModule:
    table = by_module()
    for module, numbers in tally.flops.items():
        table[module] = Numbers({name: numbers[name] for name in MATRIX_OPERATORS if numbers[name]})
    return table


def _thop(tally: Tally) -> ByModule:
    return tally.thop


COUNTERS: dict[str, Counter] = {
    counter.name: counter
    for counter in (
        Counter(
            "fvcore",
            "fvcore's FlopCountAnalysis",
            "The reference. One fused multiply-add counts as one. The total is exactly what the library gives as it is "
            "installed, so that others can reproduce it; operators that it has no formula for (activations, additions, "
            "scaled-dot-product attention) count nothing and are listed by name.",
            (
                ("convolution", "output positions x weights x batch"),
                ("linear, matmul, mm, bmm, addmm", "rows x inner x columns"),
                ("einsum", "half of numpy's optimised floating point operations"),
                ("batch norm (eval mode)", "2 x input elements, 1 without affine parameters"),
                ("layer, group and instance norm", "5 x input elements, 4 without affine parameters"),
                ("adaptive average pooling in two dimensions", "1 x input elements"),
                ("bilinear upsampling, grid sampling", "4 x output elements"),
                ("nearest upsampling", "1 x output elements"),
            ),
            _fvcore,
        ),
        Counter(
            "fvcore+",
            "fvcore with this project's formulas",
            "fvcore's numbers, and for the operators that it has no formula for those of this project, in the same "
            "unit. Each count also lists that part by itself.",
            (
                ("everything that fvcore counts", "as fvcore does"),
                ("scaled-dot-product attention", "query x key and weights x value: L x S x (E + Ev) a head"),
                ('convolution with padding="same"', "as a convolution: a trace has another name for it"),
                ("baddbmm, addmv, mv", "rows x inner x columns"),
                ("RMS norm", "4 x input elements, 3 without a weight"),
                ("average pooling", "1 x input elements"),
                ("bicubic upsampling", "16 x output elements"),
            ),
            _fvcore_plus,
        ),
        Counter(
            "torch",
            "torch.utils.flop_counter, halved",
            "The second, independent counter: only convolutions and matrix products (scaled-dot-product attention "
            "among them). The library counts a multiply-add as two, so its total is halved here; convolutions and "
            "matrix products then agree exactly with fvcore's. It is applied as on the meta device, where attention "
            "and LSTMs fall apart into products; on a CPU the library does not see inside the fused kernels of these.",
            (
                ("convolution", "as fvcore"),
                ("mm, addmm, bmm, baddbmm", "as fvcore"),
                ("scaled-dot-product attention", "its two matrix products"),
                ("everything else", "0"),
            ),
            _torch,
        ),
        Counter(
            "conv-linear",
            "Convolutions and linear layers only",
            "What many papers state as FLOPs or multiply-adds: fvcore's convolutions and matrix products, without "
            "norms, pooling and resizing.",
            (("convolution", "as fvcore"), ("linear, matmul, mm, bmm, addmm, einsum", "as fvcore"), ("other", "0")),
            _conv_linear,
        ),
        Counter(
            "thop-0.0.31",
            "thop 0.0.31, as the published MixNet cards were counted",
            "Counts modules of exactly the types it knows, by their input and output; subclasses (convolutions with "
            "TensorFlow's padding), functions and the classifier count nothing. The unit is mixed: one for a "
            "multiply-add, two for each element of a batch norm.",
            tuple(thop.RULES.items()),
            _thop,
        ),
    )
}
"""Every counter by its name, the reference first."""


def count_records(tally: Tally, input_size: InputSize, stages: tuple[str, ...]) -> tuple[Count, ...]:
    """One :class:`Count` for each counter, at ``input_size``."""
    own = {name: number for name, number in sorted(tally.own[""].items()) if number}
    records = []
    for counter in COUNTERS.values():
        table = counter.table(tally)
        operators = {name: int(number) for name, number in table[""].items() if number}
        total = sum(operators.values())
        modules = {name: int(sum(numbers.values())) for name, numbers in table.items()}
        records.append(
            Count(
                counter=counter.name,
                input_size=input_size,
                total=total,
                by_operator=operators,
                by_stage=sum_by_stage(stages, modules, total),
                uncounted=dict(sorted(tally.uncounted.items())) if counter.name.startswith("fvcore") else {},
                own_formulas=own if counter.name == "fvcore+" else {},
            )
        )
    return tuple(records)
