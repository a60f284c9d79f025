"""Formulas for operators that fvcore has none for, in its own unit (one multiply-add is one) and with its interface.

They never enter the counter ``fvcore``, whose totals others must be able to reproduce with the library as it is.
``fvcore+`` adds them, and each count reports them apart (``Count.own_formulas``).

A handle takes the operator's inputs and outputs in the order of its schema and returns a number. Both jit values and
the stand-ins of :mod:`tools.measure.trace` will do: everything is asked through fvcore's ``get_shape``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

Handle: TypeAlias = Callable[[Sequence[Any], Sequence[Any]], int]


def _shape(value: Any) -> list[int] | None:
    return list(value.type().sizes()) if value.isCompleteTensor() else None


def _known(value: Any) -> list[int]:
    shape = _shape(value)
    assert shape is not None, "a tensor of known shape is needed"
    return shape


def attention(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """Scaled-dot-product attention: the two matrix products ``query x key`` and ``weights x value``.

    ``L x S x E + L x S x Ev`` for each head and sample. The softmax and the scaling count nothing, as where a model
    writes them as operators of their own. Grouped queries repeat keys and values, so the query's heads count.
    """
    query, key, value = (_known(item) for item in inputs[:3])
    return prod(query[:-2]) * query[-2] * key[-2] * (query[-1] + value[-1])


def named_padding(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """A convolution with ``padding="same"`` or ``"valid"``, which is another operator in a trace: as a convolution."""
    return prod(_known(inputs[1])) * prod(_known(outputs[0])[2:]) * _known(outputs[0])[0]


def baddbmm(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """A batch of matrix products with an addend: as ``bmm``, ``batch x n x k x m``."""
    (batch, rows, inner), right = _known(inputs[1]), _known(inputs[2])
    return batch * rows * inner * right[-1]


def addmv(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """A matrix times a vector with an addend: the elements of the matrix."""
    return prod(_known(inputs[1]))


def mv(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """A matrix times a vector: the elements of the matrix."""
    return prod(_known(inputs[0]))


def rms_norm(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """Root-mean-square norm: 3 for each input element (square and sum, scale), 4 with a weight.

    fvcore's rough estimate for layer norm is 4, or 5 with a weight; this one has no mean to subtract.
    """
    return prod(_known(inputs[0])) * (4 if _shape(inputs[2]) is not None else 3)


def bicubic(_inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Bicubic upsampling: 16 for each output element, as fvcore counts 4 for bilinear: one for each pixel read."""
    return 16 * prod(_known(outputs[0]))


def average_pool(inputs: Sequence[Any], _outputs: Sequence[Any]) -> int:
    """Average pooling: one for each input element, as fvcore counts adaptive average pooling."""
    return prod(_known(inputs[0]))


OWN_HANDLES: dict[str, Handle] = {
    "aten::scaled_dot_product_attention": attention,
    "aten::_convolution_mode": named_padding,
    "aten::baddbmm": baddbmm,
    "aten::addmv": addmv,
    "aten::mv": mv,
    "aten::rms_norm": rms_norm,
    "aten::upsample_bicubic2d": bicubic,
    "aten::avg_pool2d": average_pool,
    "aten::adaptive_avg_pool1d": average_pool,
    "aten::adaptive_avg_pool3d": average_pool,
}
"""Operator -> formula. None of these names has a formula in fvcore; a test holds them apart."""
