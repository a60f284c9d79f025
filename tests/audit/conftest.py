"""The toy zoo, measured once a session: its cards are written afresh for every test, its cache stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.audit.toyzoo import write_zoo
from tools.audit.cli import cli

Audit = Callable[..., Result]


@pytest.fixture(scope="session")
def toyzoo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toyzoo")


@pytest.fixture
def zoo(toyzoo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy zoo, stood in; only its own files and the cache are there."""
    for path in sorted(toyzoo_folder.rglob("*"), reverse=True):
        if ".cache" not in path.parts and path.is_file():
            path.unlink()
    monkeypatch.chdir(write_zoo(toyzoo_folder))
    for name in ("NO_COLOR", "FORCE_COLOR", "ZOO_AUDIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return toyzoo_folder


@pytest.fixture
def audit() -> Iterator[Audit]:
    """The command line, called with arguments; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)

    yield call
