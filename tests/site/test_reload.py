from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.site import reload


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that stands in for ours."""
    folder = tmp_path / "madeupmacros"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "build.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(reload, "_PACKAGES", ("madeupmacros",))
    monkeypatch.setattr(reload, "_seen", {})
    yield folder
    for name in [name for name in sys.modules if name.startswith("madeupmacros")]:
        del sys.modules[name]


def change(path: Path, text: str) -> None:
    path.write_text(text)
    later = path.stat().st_mtime_ns + 2_000_000_000
    os.utime(path, ns=(later, later))


def test_a_changed_file_is_told_and_taken_up(package: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    first = reload.fresh("madeupmacros.build")
    assert first.VALUE == 1
    assert reload.fresh("madeupmacros.build") is first
    assert caplog.messages == []
    change(package / "build.py", "VALUE = 22\n")
    assert reload.fresh("madeupmacros.build").VALUE == 22
    assert caplog.messages == ["build.py changed: loading the macros and the zoo again"]


def test_what_a_kept_package_holds_is_taken_up_too(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "parts.py").write_text("VALUE = 1\n")
    (package / "build.py").write_text("from madeupmacros import parts\n")
    monkeypatch.setattr(reload, "_KEPT", ("madeupmacros",))
    assert reload.fresh("madeupmacros.build").parts.VALUE == 1
    change(package / "parts.py", "VALUE = 22\n")
    assert reload.fresh("madeupmacros.build").parts.VALUE == 22


def test_a_build_is_no_serving() -> None:
    assert not reload.serving()
