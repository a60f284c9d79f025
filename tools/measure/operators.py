"""How torch's Python functions appear in a trace: their operator's name, and their arguments in schema order.

fvcore names operators as TorchScript's tracer does (``aten::_convolution``). Counting without a trace watches the
calls that Python makes into torch instead; this table leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _aten(text: str) -> frozenset[str]:
    return frozenset(f"aten::{name}" for name in text.split())


SILENT = _words(
    "__get__ __set__ __delete__ __len__ __iter__ __contains__ __hash__ __format__ __repr__ __deepcopy__ size dim "
    "ndimension stride numel nelement is_floating_point is_complex is_contiguous is_signed is_inference data_ptr "
    "get_device element_size requires_grad_ storage_offset untyped_storage storage is_same_size is_set_to "
    "result_type can_cast promote_types register_hook retain_grad backward _is_view is_tensor is_shared "
    "is_nonzero item tolist numpy __bool__ __int__ __float__ __index__ __array__ finfo iinfo "
    "_has_compatible_shallow_copy_type is_neg is_conj as_subclass"
)
"""Questions about a tensor, not operators. What needs a value (``item``) fails on the meta device by itself."""

_ALIASES = {
    "__getitem__": "slice",
    "__setitem__": "copy_",
    "absolute": "abs",
    "absolute_": "abs_",
    "clip": "clamp",
    "clip_": "clamp_",
    "concat": "cat",
    "concatenate": "cat",
    "divide": "div",
    "divide_": "div_",
    "true_divide": "div",
    "true_divide_": "div_",
    "multiply": "mul",
    "multiply_": "mul_",
    "negative": "neg",
    "subtract": "sub",
    "subtract_": "sub_",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "not_equal": "ne",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "ger": "outer",
    "special_expit": "sigmoid",
    "special_softmax": "softmax",
    "adaptive_max_pool2d_with_indices": "adaptive_max_pool2d",
    "conv1d": "_convolution",
    "conv2d": "_convolution",
    "conv3d": "_convolution",
    "convolution": "_convolution",
    "conv_transpose1d": "_convolution",
    "conv_transpose2d": "_convolution",
    "conv_transpose3d": "_convolution",
    "__add__": "add",
    "__radd__": "add",
    "__iadd__": "add_",
    "__sub__": "sub",
    "__isub__": "sub_",
    "__mul__": "mul",
    "__rmul__": "mul",
    "__imul__": "mul_",
    "__truediv__": "div",
    "__itruediv__": "div_",
    "__matmul__": "matmul",
    "__neg__": "neg",
    "__invert__": "bitwise_not",
    "__abs__": "abs",
    "__eq__": "eq",
    "__ne__": "ne",
    "__lt__": "lt",
    "__le__": "le",
    "__gt__": "gt",
    "__ge__": "ge",
    **dict.fromkeys(_words("float double half bfloat16 int long short bool char byte cpu cuda type"), "to"),
}

OPERANDS: dict[str, tuple[str, ...]] = {
    "aten::_convolution": ("input", "weight", "bias"),
    "aten::_convolution_mode": ("input", "weight"),
    "aten::addmm": ("input", "mat1", "mat2"),
    "aten::adaptive_avg_pool1d": ("input", "output_size"),
    "aten::adaptive_avg_pool2d": ("input", "output_size"),
    "aten::adaptive_avg_pool3d": ("input", "output_size"),
    "aten::addmv": ("input", "mat", "vec"),
    "aten::avg_pool2d": ("input",),
    "aten::baddbmm": ("input", "batch1", "batch2"),
    "aten::batch_norm": ("input", "weight", "bias", "running_mean", "running_var", "training"),
    "aten::bmm": ("input", "mat2"),
    "aten::grid_sampler": ("input", "grid"),
    "aten::group_norm": ("input", "num_groups", "weight", "bias"),
    "aten::instance_norm": ("input", "weight", "bias"),
    "aten::layer_norm": ("input", "normalized_shape", "weight", "bias"),
    "aten::linear": ("input", "weight", "bias"),
    "aten::matmul": ("input", "other"),
    "aten::mm": ("input", "mat2"),
    "aten::mv": ("input", "vec"),
    "aten::rms_norm": ("input", "normalized_shape", "weight"),
    "aten::scaled_dot_product_attention": ("query", "key", "value"),
    "aten::upsample_bicubic2d": ("input",),
    "aten::upsample_bilinear2d": ("input",),
    "aten::upsample_nearest2d": ("input",),
}
"""Operator -> the names of the arguments that formulas look at, in order. ``einsum`` is a case of its own."""

WITHOUT_PRODUCTS = _aten(
    "abs add add_ adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d argmax avg_pool2d "
    "batch_norm bernoulli bernoulli_ clone div div_ elu elu_ erf exp floor_ gelu glu group_norm hardsigmoid "
    "hardsigmoid_ hardswish hardswish_ hardtanh hardtanh_ instance_norm layer_norm leaky_relu leaky_relu_ log "
    "log_softmax max_pool2d mean mish mish_ mul mul_ neg pad pixel_shuffle pixel_unshuffle pow prelu relu6 relu6_ "
    "rms_norm rsub rsqrt sigmoid sigmoid_ silu silu_ softmax softplus sqrt sub sub_ sum tanh tanh_ upsample_bicubic2d "
    "upsample_bilinear2d upsample_nearest2d repeat repeat_interleave rand rand_like randn "
    # what fvcore ignores as well: copies, views and comparisons
    "arange cat chunk clamp clamp_ constant_pad_nd contiguous copy_ detach dropout empty empty_like eq expand "
    "flatten full full_like gather ge gt index index_put_ masked_fill max narrow new_empty new_full new_ones "
    "new_zeros ones ones_like permute relu relu_ reshape roll select slice split split_with_sizes squeeze stack t "
    "to transpose type_as unbind unflatten unsqueeze unsqueeze_ view view_as expand_as reshape_as zeros zeros_like"
)
"""Operators that contain no matrix product, so that nobody need look inside them. Leaving one out costs time only."""


def operator_name(function: Callable[..., Any]) -> str | None:
    """The operator that a call of ``function`` is in a trace, or ``None`` where it is none."""
    schema_name = getattr(function, "_qualified_op_name", None)
    if schema_name is None and hasattr(function, "_schema"):
        schema_name = function._schema.name
    if isinstance(schema_name, str):  # torch.ops.aten.mm, torch.ops.aten.mm.default
        space, _, name = schema_name.partition("::")
        return f"{space}::{_ALIASES.get(name, name)}" if space == "aten" else schema_name
    name = getattr(function, "__name__", type(function).__name__)
    if name in SILENT:
        return None
    return f"aten::{_ALIASES.get(name, name)}"


def operand(
    position: int, name: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any], default: Any = None
) -> Any:
    """An argument by its position or its name; ``self`` is another name of ``input``."""
    if position < len(arguments):
        return arguments[position]
    if name in keywords:
        return keywords[name]
    return keywords.get("self", default) if name == "input" else default
