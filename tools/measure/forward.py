"""Count by a real forward pass with the libraries' own analyses: the slow way, for models that need real values.

Some models cannot run without arithmetic: their control flow depends on values, they leave torch for numpy, or they
hold compiled (scripted) parts. For these, and as the peer of :mod:`tools.measure.trace` in the tests, stock fvcore
traces the model and ``torch.utils.flop_counter`` watches it.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

from tools.measure import thop
from tools.measure.formulas import OWN_HANDLES
from tools.measure.tally import ByModule, Tally, add, ancestors, by_module

if TYPE_CHECKING:
    import torch
    from torch import nn


def run_forward(model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Tally:
    """Run ``model`` on real ``inputs`` and count with stock fvcore and ``FlopCounterMode``.

    Raises:
        Exception: whatever the model or a formula raises.
    """
    from fvcore.nn import ActivationCountAnalysis

    flops, uncounted = _fvcore(model, inputs, {})
    tally = Tally(flops=flops, uncounted=uncounted)
    if set(uncounted) & set(OWN_HANDLES):
        with_own, _ = _fvcore(model, inputs, OWN_HANDLES)
        for module, counts in with_own.items():
            tally.own[module] = counts - flops[module]
    activations = _quiet(ActivationCountAnalysis(model, inputs))
    for module, counts in activations.by_module_and_operator().items():
        tally.activations[module] = Counter(counts)
    # Stock fvcore tells which operators it counted, not how often: one call of each is certain.
    tally.operators[""] = uncounted + Counter({f"aten::{name}": 1 for name in flops[""]})
    _watch(model, inputs, tally)
    return tally


def _quiet(analysis: Any) -> Any:
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")


def _fvcore(model: nn.Module, inputs: tuple[torch.Tensor, ...], more: dict[str, Any]) -> tuple[ByModule, Counter[str]]:
    from fvcore.nn import FlopCountAnalysis

    analysis = _quiet(FlopCountAnalysis(model, inputs)).set_op_handle(**more)
    table = by_module()
    for module, counts in analysis.by_module_and_operator().items():
        table[module] = Counter({name: int(number) for name, number in counts.items()})
    return table, Counter(analysis.unsupported_ops())


def _watch(model: nn.Module, inputs: tuple[torch.Tensor, ...], tally: Tally) -> None:
    """One more run, under torch's own counter and with a hook on every module.

    Attention is run as its matrix products: that counter has no formula for the fused operator of the CPU.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    classifier = thop.last_linear(model)
    handles = []
    for path, module in model.named_modules():

        def count(
            module: nn.Module, given: tuple[Any, ...], made: Any, above: tuple[str, ...] = ancestors(path)
        ) -> None:
            if given and isinstance(given[0], torch.Tensor) and isinstance(made, torch.Tensor):
                number = thop.operations(module, given[0], made, classifier)
                if number:
                    add(tally.thop, above, type(module).__name__, number)

        handles.append(module.register_forward_hook(count))
    counter = FlopCounterMode(display=False)
    try:
        with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH), counter:
            warnings.simplefilter("ignore")
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    root = type(model).__name__
    for name, counts in counter.get_flop_counts().items():
        path = "" if name == "Global" else name.removeprefix(root).removeprefix(".")
        if name == "Global" or path:
            tally.matrix[path] = Counter({str(op).removeprefix("aten."): int(n) for op, n in counts.items()})


logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
