"""Search a built model for the kinds of parts that Architecture tags speak of.

Three sorts of evidence: the type of a module (or its name, for what torch has no class for), the way modules are put
together, and the operators that were seen while the model ran, for what a ``forward`` does with functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from torch import nn

from tools.measure.tally import Tally
from tools.measure.trace import GLOBAL_POOL

_Types = tuple[type[nn.Module], ...]
_TYPES: Mapping[str, _Types] = {
    "Batch Normalization": (nn.modules.batchnorm._BatchNorm,),
    "Layer Normalization": (nn.LayerNorm,),
    "Group Normalization": (nn.GroupNorm,),
    "Instance Normalization": (nn.modules.instancenorm._InstanceNorm,),
    "Local Response Normalization": (nn.LocalResponseNorm,),
    "SiLU": (nn.SiLU,),
    "ReLU": (nn.ReLU,),
    "ReLU6": (nn.ReLU6,),
    "GELU": (nn.GELU,),
    "Sigmoid": (nn.Sigmoid,),
    "Hard Sigmoid": (nn.Hardsigmoid,),
    "Hard Swish": (nn.Hardswish,),
    "Leaky ReLU": (nn.LeakyReLU,),
    "PReLU": (nn.PReLU,),
    "ELU": (nn.ELU,),
    "Mish": (nn.Mish,),
    "Tanh": (nn.Tanh,),
    "Softmax": (nn.Softmax, nn.Softmax2d),
    "Dropout": (nn.modules.dropout._DropoutNd,),
    "Average Pooling": (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.modules.pooling._AdaptiveAvgPoolNd),
    "Max Pooling": (nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd),
    "Linear": (nn.Linear,),
    "Multi-Head Attention": (nn.MultiheadAttention,),
    "LSTM": (nn.LSTM, nn.LSTMCell),
    "GRU": (nn.GRU, nn.GRUCell),
    "Embedding": (nn.Embedding, nn.EmbeddingBag),
}
_NAMES: Mapping[str, re.Pattern[str]] = {
    "Efficient Channel Attention": re.compile(r"^c?eca(module|layer|block|attn)?$", re.IGNORECASE),
    "Squeeze-and-Excitation Block": re.compile(
        r"squeeze_?(and_?)?excit|^se_?(module|layer|block|unit)$", re.IGNORECASE
    ),
    "Stochastic Depth": re.compile(r"^(drop_?path|stochastic_?depth)$", re.IGNORECASE),
    "RMS Normalization": re.compile(r"^(.*_)?rms_?norm(2d)?$", re.IGNORECASE),
    "Attention": re.compile(r"attention|attn$", re.IGNORECASE),
    "SiLU": re.compile(r"^(swish|memoryefficientswish|silu)(me)?$", re.IGNORECASE),
    "MixConv": re.compile(r"^(mix_?conv|mixed_?conv)(2d)?$", re.IGNORECASE),
}
_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "Batch Normalization": ("batch_norm",),
    "Layer Normalization": ("layer_norm",),
    "Group Normalization": ("group_norm",),
    "Instance Normalization": ("instance_norm",),
    "RMS Normalization": ("rms_norm",),
    "SiLU": ("silu",),
    "ReLU": ("relu",),
    "ReLU6": ("relu6", "hardtanh"),
    "GELU": ("gelu",),
    "Sigmoid": ("sigmoid",),
    "Hard Sigmoid": ("hardsigmoid",),
    "Hard Swish": ("hardswish",),
    "Leaky ReLU": ("leaky_relu",),
    "PReLU": ("prelu",),
    "ELU": ("elu",),
    "Mish": ("mish",),
    "Tanh": ("tanh",),
    "Softmax": ("softmax",),
    "Dropout": ("dropout",),
    "Average Pooling": ("avg_pool2d", "avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool1d"),
    "Max Pooling": ("max_pool2d", "max_pool1d", "adaptive_max_pool2d"),
    "Attention": ("scaled_dot_product_attention",),
    "Linear": ("linear",),
}
"""Kind -> operators that show it where no module does; in place (``silu_``) counts as well."""

_Convolution = nn.modules.conv._ConvNd
_GATE_PARTS = 12
"""The modules of which a squeeze-and-excitation block has at most so many."""


def kinds(model: nn.Module, tally: Tally) -> dict[str, int]:
    """How many of each kind are present; kinds of which there is none are left out. Sorted by name."""
    found: Counter[str] = Counter()
    gates: set[str] = set()
    classes: dict[type, tuple[frozenset[str], frozenset[str]]] = {}
    depthwise = pointwise_after = 0
    for path, module in model.named_modules():
        if type(module) not in classes:
            classes[type(module)] = _of_type(type(module)), _of_name(type(module))
        by_type, by_name = classes[type(module)]
        names = {*by_name, *_of_convolution(module), *_of_structure(module, path, tally)}
        # A dropout of probability 0 is how many libraries say that there is none.
        if by_type and getattr(module, "p", 1) != 0:
            names |= by_type
        if "Squeeze-and-Excitation Block" in names:
            if _inside(path, gates):
                names.discard("Squeeze-and-Excitation Block")
            gates.add(path)
        depthwise += "Depthwise Convolution" in names
        pointwise_after += "1x1 Convolution" in names and pointwise_after < depthwise
        found.update(names)
    if pointwise_after:
        found["Depthwise Separable Convolution"] = pointwise_after
    for path, calls in tally.operators.items():
        if calls[GLOBAL_POOL] and not _inside(path, gates):
            found["Global Average Pooling"] += calls[GLOBAL_POOL]
    if not any(calls[GLOBAL_POOL] for calls in tally.operators.values()):  # a real forward pass does not tell
        pools = (path for path, module in model.named_modules() if _pools_everything(module))
        found["Global Average Pooling"] = sum(not _inside(path, gates) for path in pools)
    operators: Counter[str] = Counter()
    for calls in tally.operators.values():
        operators.update(calls)
    for kind, names_ in _OPERATORS.items():
        if not found[kind]:
            found[kind] = sum(operators[f"aten::{name}"] + operators[f"aten::{name}_"] for name in names_)
    if not found["Multi-Head Attention"] and found["Attention"]:
        found["Multi-Head Attention"] = operators["aten::scaled_dot_product_attention"]
    return {kind: number for kind, number in sorted(found.items()) if number}


def _inside(path: str, modules: set[str]) -> bool:
    return any(path == module or path.startswith(f"{module}.") for module in modules)


def _pools_everything(module: nn.Module) -> bool:
    if not isinstance(module, nn.modules.pooling._AdaptiveAvgPoolNd):
        return False
    size = module.output_size
    return size == 1 or (isinstance(size, tuple) and all(item == 1 for item in size))


def _of_type(module_class: type[nn.Module]) -> frozenset[str]:
    return frozenset(kind for kind, types in _TYPES.items() if issubclass(module_class, types))


def _of_name(module_class: type[nn.Module]) -> frozenset[str]:
    return frozenset(kind for kind, pattern in _NAMES.items() if pattern.search(module_class.__name__))


def _of_convolution(module: nn.Module) -> Iterator[str]:
    if not isinstance(module, _Convolution):
        return
    yield "Transposed Convolution" if module.transposed else "Convolution"
    if all(size == 1 for size in module.kernel_size):
        yield "1x1 Convolution"
    if any(size > 1 for size in module.dilation):
        yield "Dilated Convolution"
    if module.groups > 1:
        yield "Grouped Convolution"
        if _is_depthwise(module):
            yield "Depthwise Convolution"


def _is_depthwise(module: _Convolution) -> bool:
    return module.groups == module.in_channels > 1


def _of_structure(module: nn.Module, path: str, tally: Tally) -> Iterator[str]:
    children = list(module.children())
    convolutions = [child for child in children if isinstance(child, _Convolution) and _is_depthwise(child)]
    if len(convolutions) > 1 and len({conv.kernel_size for conv in convolutions}) == len(children):
        yield "MixConv"
    if _is_gate(children, path, tally):
        yield "Squeeze-and-Excitation Block"


def _is_gate(children: list[nn.Module], path: str, tally: Tally) -> bool:
    """Two layers that reduce the channels and expand them back to as many, and a sigmoid: squeeze and excitation."""
    # No further than it takes to see that there are too many: near the root that would be most of the model.
    parts = list(islice((part for child in children for part in child.modules()), _GATE_PARTS + 1))
    if len(parts) > _GATE_PARTS:
        return False
    layers = [part for part in parts if isinstance(part, nn.Linear | _Convolution)]
    if len(layers) != 2 or any(isinstance(layer, _Convolution) and max(layer.kernel_size) > 1 for layer in layers):
        return False
    (before, reduced), (again, after) = (_channels(layer) for layer in layers)
    if not (before == after and reduced == again and reduced < before):
        return False
    called = tally.operators.get(path, Counter())
    by_function = any(called[f"aten::{name}"] for name in ("sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_"))
    return by_function or any(isinstance(part, nn.Sigmoid | nn.Hardsigmoid) for part in parts)


def _channels(layer: nn.Module) -> tuple[int, int]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    assert isinstance(layer, _Convolution)
    return layer.in_channels, layer.out_channels
