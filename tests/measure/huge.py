"""A model with 1.07 billion parameters (4 GiB), which no test may allocate."""

from __future__ import annotations

from torch import nn


def build(_name: str) -> nn.Module:
    """Four linear layers of 16384 x 16384."""
    return nn.Sequential(*(nn.Linear(16384, 16384) for _ in range(4)))
