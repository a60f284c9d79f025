"""A small zoo for the tests, good models and bad ones: ``tests.measure.toys:build``."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn


class Plain(nn.Module):
    """A convolution, batch norm, pooling and a classifier: every count is easily derived by hand."""

    def __init__(self, channels: int = 8, eps: float = 1e-5, padding: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=padding, bias=False)
        self.norm = nn.BatchNorm2d(channels, eps=eps)
        self.act = nn.ReLU()
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.conv(x)))
        logits: Tensor = self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


class Decides(Plain):
    """Looks at a value: it cannot run without arithmetic."""

    def forward(self, x: Tensor) -> Tensor:
        if x.sum().item() > 1e9:
            x = x * 2
        return super().forward(x)


class Numpy(Plain):
    """Leaves torch for numpy in the middle."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.from_numpy(x.detach().numpy() + 1))


class Broken(Plain):
    """Fails while it runs."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("first line\nthe forward is broken")


def _hang() -> nn.Module:
    time.sleep(600)
    return Plain()


def _exit() -> nn.Module:
    os._exit(3)


def _segfault() -> nn.Module:
    ctypes.string_at(0)
    return Plain()


def _killed() -> nn.Module:
    os.kill(os.getpid(), 9)
    return Plain()


def _large() -> nn.Module:
    model = Plain()
    model.table = nn.Parameter(torch.from_numpy(__import__("numpy").ones(3 << 27, dtype="float64")))  # 3 GiB
    return model


def _raises() -> nn.Module:
    raise ValueError("cannot be built\nbecause of this")


def _exits() -> nn.Module:
    sys.exit("no such model")


def _prints() -> nn.Module:
    print("this must not reach the report")
    return Plain()


def _dies_later() -> nn.Module:
    threading.Timer(0.3, os._exit, [7]).start()
    return Plain()


def _interrupts() -> nn.Module:
    raise KeyboardInterrupt("not the user's")


def _double() -> nn.Module:
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    return Plain()


def _verbose() -> nn.Module:
    raise ValueError("x" * 5_000_000)


MODELS: dict[str, Any] = {
    "plain": Plain,
    "plain_again": Plain,
    "wide": lambda: Plain(16),
    "eps": lambda: Plain(eps=1e-3),
    "padded": lambda: Plain(padding=2),
    "decides": Decides,
    "numpy": Numpy,
    "broken": Broken,
    "hang": _hang,
    "exit": _exit,
    "segfault": _segfault,
    "killed": _killed,
    "large": _large,
    "raises": _raises,
    "exits": _exits,
    "prints": _prints,
    "dies_later": _dies_later,
    "interrupts": _interrupts,
    "double": _double,
    "verbose": _verbose,
    "not_a_module": lambda: 3,
}


def build(name: str, **_: Any) -> Any:
    """Build a model of this zoo. ``plain_7`` is ``plain`` with a number, to have many."""
    return MODELS.get(name, Plain)()


def names() -> list[str]:
    """The names of the good models."""
    return ["plain", "wide", "eps"]


def config(name: str) -> dict[str, Any] | None:
    """What this zoo says of its models."""
    if name == "wide":
        return {"url": "https://example.org/wide-0a1b2c3d.pth", "input_size": (3, 32, 32), "crop_pct": 0.9}
    return None
