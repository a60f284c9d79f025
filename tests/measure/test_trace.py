"""Counting on the meta device gives what stock fvcore and torch's own counter give for a real forward pass."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

import zoo
from tools.measure.build import build_meta
from tools.measure.formulas import OWN_HANDLES
from tools.measure.forward import run_forward
from tools.measure.tally import Tally
from tools.measure.trace import run_meta

_SHAPE_ARITHMETIC = {"aten::sub", "aten::neg", "aten::mul", "aten::add", "aten::div", "aten::ceil"}
"""A trace also holds the arithmetic on sizes that Python does (SAME padding); no tensor is computed by it."""


@pytest.fixture(autouse=True)
def _stock_fvcore_may_warn() -> Iterator[None]:
    """It is built on torch.jit, which torch 2.13 calls deprecated at each use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Call(nn.Module):
    """A function as a model, with a weight for those that need one."""

    def __init__(self, function: Callable[..., Any], *weight: int) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.ones(*weight)) if weight else None

    def forward(self, x: Tensor) -> Any:
        return self.function(x) if self.weight is None else self.function(x, self.weight)


def counts(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    plain = {path: {name: number for name, number in row.items() if number} for path, row in table.items()}
    return {path: row for path, row in plain.items() if row}


def both(model: nn.Module, *shape: int) -> tuple[Tally, Tally]:
    real = run_forward(model.eval(), (torch.ones(*shape),))
    meta = run_meta(copy.deepcopy(model).to("meta"), (torch.empty(*shape, device="meta"),))
    return real, meta


def assert_equal(real: Tally, meta: Tally) -> None:
    assert counts(meta.flops) == counts(real.flops)
    assert counts(meta.activations) == counts(real.activations)
    assert counts(meta.own) == counts(real.own)
    assert counts(meta.thop) == counts(real.thop)
    stock = counts(real.matrix)  # it leaves out containers that are never called (a ModuleList)
    assert {path: row for path, row in counts(meta.matrix).items() if path in stock} == stock


@pytest.mark.parametrize("name", zoo.list_models())
def test_the_zoo_counts_as_stock_fvcore_does_at_three_sizes(name: str) -> None:
    from fvcore.nn import FlopCountAnalysis

    model = zoo.create_model(name).eval()
    on_meta = build_meta(lambda: zoo.create_model(name))
    for size in ((3, 224, 224), (3, 193, 225), (3, 64, 97)):
        stock = FlopCountAnalysis(model, torch.zeros(1, *size)).unsupported_ops_warnings(False)
        tally = run_meta(on_meta, (torch.empty(1, *size, device="meta"),))
        assert counts(tally.flops) == counts(stock.by_module_and_operator())
        assert sum(tally.flops[""].values()) == stock.total()
        differing = {op for op, calls in stock.unsupported_ops().items() if tally.uncounted[op] != calls}
        assert differing <= (_SHAPE_ARITHMETIC if name.startswith("tf_") else set())


@pytest.mark.parametrize("name", ["mixnet_s", "tf_mixnet_s"])
def test_all_counters_agree_on_the_zoo(name: str) -> None:
    assert_equal(*both(zoo.create_model(name), 1, 3, 65, 64))


# What one call counts, derived by hand from the shapes: fvcore's number by operator.
OPERATORS: list[tuple[str, Callable[..., Any], tuple[int, ...], tuple[int, ...], dict[str, int]]] = [
    ("linear", F.linear, (2, 5), (7, 5), {"linear": 2 * 5 * 7}),
    ("linear of a batch of rows", F.linear, (2, 3, 5), (7, 5), {"linear": 2 * 3 * 5 * 7}),
    ("conv1d", F.conv1d, (1, 3, 10), (4, 3, 3), {"conv": 8 * 4 * 3 * 3}),
    ("conv2d", F.conv2d, (2, 3, 8, 9), (4, 3, 3, 3), {"conv": 2 * 6 * 7 * 4 * 3 * 9}),
    ("conv2d without batch", F.conv2d, (3, 8, 9), (4, 3, 3, 3), {"conv": 6 * 7 * 4 * 3 * 9}),
    ("conv3d", F.conv3d, (1, 2, 4, 5, 6), (3, 2, 2, 2, 2), {"conv": 3 * 4 * 5 * 3 * 2 * 8}),
    (
        "strided, dilated, padded and grouped",
        lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
        (1, 4, 9, 9),
        (6, 2, 3, 3),
        {"conv": 5 * 9 * 6 * 2 * 9},
    ),
    ("transposed", F.conv_transpose2d, (1, 4, 5, 6), (4, 3, 2, 2), {"conv": 5 * 6 * 4 * 3 * 4}),
    (
        "transposed with output padding",
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1, groups=2),
        (1, 4, 5, 6),
        (4, 3, 3, 3),
        {"conv": 5 * 6 * 4 * 3 * 9},
    ),
    (
        "padding by name is another operator",
        lambda x, w: F.conv2d(x, w, padding="same"),
        (1, 3, 8, 8),
        (4, 3, 3, 3),
        {},
    ),
    ("matmul", torch.matmul, (2, 3, 4), (4, 5), {"matmul": 2 * 3 * 4 * 5}),
    ("the operator @", lambda x, w: x @ w, (3, 4), (4, 5), {"matmul": 3 * 4 * 5}),
    ("mm", torch.mm, (3, 4), (4, 5), {"mm": 3 * 4 * 5}),
    ("bmm", torch.bmm, (2, 3, 4), (2, 4, 5), {"bmm": 2 * 3 * 4 * 5}),
    ("addmm", lambda x, w: torch.addmm(torch.ones(5, device=x.device), x, w), (3, 4), (4, 5), {"addmm": 3 * 4 * 5}),
    ("einsum", lambda x, w: torch.einsum("abc,abd->acd", x, w), (2, 3, 4), (2, 3, 5), {"einsum": 2 * 3 * 4 * 5}),
    ("einsum of another kind", lambda x, w: torch.einsum("ij,jk->ik", x, w), (3, 4), (4, 5), {"einsum": 3 * 4 * 5}),
    ("layer norm", lambda x, w: F.layer_norm(x, (6,), w), (2, 3, 6), (6,), {"layer_norm": 36 * 5}),
    ("layer norm, not affine", lambda x: F.layer_norm(x, (6,)), (2, 3, 6), (), {"layer_norm": 36 * 4}),
    ("group norm", lambda x, w: F.group_norm(x, 2, w, w), (1, 4, 3, 3), (4,), {"group_norm": 36 * 5}),
    ("instance norm", lambda x: F.instance_norm(x), (1, 4, 3, 3), (), {"instance_norm": 36 * 4}),
    ("adaptive pooling", lambda x: F.adaptive_avg_pool2d(x, 2), (1, 4, 6, 6), (), {"adaptive_avg_pool2d": 144}),
    (
        "nearest upsampling",
        lambda x: F.interpolate(x, scale_factor=2),
        (1, 2, 3, 3),
        (),
        {"upsample_nearest2d": 2 * 36},
    ),
    (
        "bilinear upsampling",
        lambda x: F.interpolate(x, size=(5, 7), mode="bilinear"),
        (1, 2, 3, 3),
        (),
        {"upsample_bilinear2d": 2 * 35 * 4},
    ),
    (
        "grid sampling",
        lambda x, w: F.grid_sample(x, w, align_corners=False),
        (1, 2, 4, 4),
        (1, 3, 5, 2),
        {"grid_sampler": 2 * 15 * 4},
    ),
    ("elementwise functions count nothing", lambda x: F.gelu(x * 2 + 1).softmax(-1), (2, 3), (), {}),
    ("what the output does not need", lambda x, w: (torch.mm(x, w), x.relu())[1], (3, 4), (4, 5), {}),
    ("what a view writes", lambda x, w: _write(x, w), (4, 4), (4, 4), {"mm": 64}),
]


def _write(x: Tensor, w: Tensor) -> Tensor:
    made = torch.zeros_like(x)
    made[:2].add_(torch.mm(x, w)[:2])
    return made


@pytest.mark.parametrize(
    ("function", "shape", "weight", "expected"), [row[1:] for row in OPERATORS], ids=[r[0] for r in OPERATORS]
)
def test_every_operator_counts_as_by_hand_and_as_stock(
    function: Callable[..., Any], shape: tuple[int, ...], weight: tuple[int, ...], expected: dict[str, int]
) -> None:
    real, meta = both(Call(function, *weight), *shape)
    assert counts(meta.flops).get("", {}) == expected
    assert_equal(real, meta)


def test_batch_norm_counts_by_mode_and_affinity() -> None:
    model = nn.Sequential(nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    real, meta = both(model, 1, 4, 3, 3)
    assert counts(meta.flops) == {"": {"batch_norm": 36 * 3}, "0": {"batch_norm": 72}, "1": {"batch_norm": 36}}
    assert_equal(real, meta)


class Attention(nn.Module):
    """A vision transformer's block in small."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.proj = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        heads = self.qkv(self.norm(x)).reshape(batch, tokens, 3, 2, 4)
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        made: Tensor = x + self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return made


def test_attention_is_reported_as_uncounted_and_counted_by_our_formula() -> None:
    real, meta = both(Attention(), 2, 5, 8)
    # two heads of width 4, batch 2: query x key and weights x value, 5 x 5 x 4 each
    assert counts(meta.own)[""] == {"scaled_dot_product_attention": 2 * 2 * (5 * 5 * 4) * 2}
    assert meta.uncounted["aten::scaled_dot_product_attention"] == 1
    assert counts(meta.flops)[""] == {"layer_norm": 80 * 5, "linear": 2 * 5 * 8 * 24 + 2 * 5 * 8 * 8}
    assert_equal(real, meta)


def test_torch_modules_that_have_a_fast_path_take_the_one_that_stock_sees() -> None:
    real, meta = both(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, 5, 8)
    assert_equal(real, meta)
    assert counts(meta.flops)[""]["linear"] == 10 * (8 * 24 + 8 * 8 + 8 * 16 + 16 * 8)


class Shared(nn.Module):
    """One layer under two names, called twice, and once by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.outer = nn.ModuleDict({"again": self.first})

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.outer["again"](self.first(x)), self.first.weight)


def test_shared_modules_and_function_calls_count_where_stock_counts_them() -> None:
    real, meta = both(Shared(), 3, 4)
    assert counts(meta.flops) == counts(real.flops) == {"": {"linear": 3 * 48}, "first": {"linear": 2 * 48}}
    assert meta.matrix[""] == real.matrix[""]  # by module, torch's counter takes the other one of the two names


class _Opaque(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x @ x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError


def test_an_autograd_function_is_one_operator_without_a_formula() -> None:
    apply = _Opaque.apply
    real, meta = both(Call(lambda x: apply(x)), 4, 4)  # type: ignore[no-untyped-call]  # torch has no types for it
    assert meta.uncounted == real.uncounted == {"prim::PythonOp._Opaque": 1}
    assert counts(meta.flops) == counts(real.flops) == {}


def test_a_run_leaves_torch_as_it_was() -> None:
    before = {name: vars(F)[name] for name in vars(F) if name.startswith("has_torch_function")}
    model = Call(lambda x: x.item())
    with pytest.raises(RuntimeError, match="meta"):
        run_meta(model, (torch.empty(1, device="meta"),))
    assert before
    assert {name: vars(F)[name] for name in before} == before
    assert Call(torch.relu)(torch.tensor([-1.0])).item() == 0.0


def test_our_formulas_are_for_what_fvcore_has_none_for() -> None:
    from fvcore.nn.flop_count import _DEFAULT_SUPPORTED_OPS

    assert not OWN_HANDLES.keys() & _DEFAULT_SUPPORTED_OPS.keys()


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_models_of_other_libraries_count_as_stock_does(library: str) -> None:
    found = pytest.importorskip(library, reason=f"{library} is not installed")
    names = {
        "timm": ["vit_tiny_patch16_224", "convnext_atto", "efficientnet_b0"],
        "torchvision": ["resnet18", "swin_t"],
    }
    for name in names[library]:
        model = found.create_model(name) if library == "timm" else found.models.get_model(name)
        assert_equal(*both(model, 1, 3, 224, 224))
