"""Which operators matter when a counter leaves them out, and which of a count are convolutions and matrix products."""

from __future__ import annotations

from tools.measure.records import Count

MATRIX_OPERATORS = frozenset(
    {"conv", "linear", "addmm", "matmul", "mm", "bmm", "baddbmm", "einsum", "scaled_dot_product_attention"}
)
"""Names of the operators, in a count, that torch's own counter has formulas for too."""

_CHEAP = """
add sub rsub mul div pow sqrt rsqrt square exp exp2 expm1 log log2 log10 log1p abs neg sign sgn sin cos tan tanh
atan2 sigmoid silu relu relu6 leaky_relu prelu rrelu elu selu celu gelu mish hardswish hardsigmoid hardtanh
softplus softsign logsigmoid threshold glu clamp clamp_min clamp_max clip floor ceil round trunc frac fmod
remainder floor_divide reciprocal erf erfinv maximum minimum fmax fmin eq ne lt le gt ge where masked_fill
logical_and logical_or logical_not bitwise_and bitwise_or bitwise_not isnan isinf lerp addcmul addcdiv sum mean
var std var_mean std_mean max min amax amin argmax argmin prod norm linalg_vector_norm cumsum logsumexp softmax
_softmax log_softmax _log_softmax softmin all any topk sort argsort count_nonzero normalize max_pool1d
max_pool2d max_pool3d max_pool2d_with_indices avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
fractional_max_pool2d lp_pool2d pixel_shuffle pixel_unshuffle channel_shuffle view reshape flatten unflatten
permute transpose t contiguous clone copy expand expand_as repeat repeat_interleave tile cat concat stack split
split_with_sizes chunk unbind select slice narrow index index_select gather scatter index_put take_along_dim
unsqueeze squeeze movedim roll flip rot90 pad constant_pad_nd reflection_pad1d reflection_pad2d
replication_pad2d zeros ones full empty zeros_like ones_like empty_like full_like new_zeros new_ones new_empty
arange linspace meshgrid tril triu eye rand randn bernoulli dropout feature_dropout alpha_dropout detach alias
lift_fresh to type_as _to_copy size numel item ScalarImplicit embedding one_hot as_strided unfold im2col col2im
bucketize searchsorted upsample_nearest1d upsample_nearest2d fill zero masked_select nonzero native_dropout
unsafe_split _unsafe_view unsafe_chunk diagonal resolve_conj batch_norm layer_norm group_norm instance_norm
native_layer_norm native_group_norm native_batch_norm rms_norm local_response_norm _weight_norm
_weight_norm_interface
"""
"""Arithmetic and functions of single elements, reductions and soft maxima, pooling, layout and creation, norms."""
_CHEAP_WORDS = frozenset(_CHEAP.split())


def short_name(operator: str) -> str:
    """``aten::silu_`` -> ``silu``: without name space, overload and the mark of working in place."""
    name = operator.rpartition("::")[2].partition(".")[0]
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def costly(operator: str) -> bool:
    """Whether an operator without a formula may make a total too small.

    Work on single elements, reductions, pooling, norms and layout cost next to nothing beside a convolution, and
    the conventions leave them out on purpose. Everything else counts as costly: attention, products, transforms,
    resampling with weights, and whatever nobody has heard of.
    """
    name = short_name(operator).strip("_") if operator.startswith("aten::__") else short_name(operator)
    return name not in _CHEAP_WORDS


def matrix_share(count: Count) -> int:
    """The part of a count that convolutions and matrix products make up, in the count's own unit."""
    return sum(total for operator, total in count.by_operator.items() if short_name(operator) in MATRIX_OPERATORS)
