"""What the zoo's tests share: a server that misbehaves, and a cache folder of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import LoopbackServer


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """On a busy machine, torch's threads spend more time waiting for each other than computing."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder, reached by the settings that a user would make; no proxy stands between."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ZOO_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home" / "hub" / "checkpoints"
