"""``--fix`` and ``--diff``: what is certain is mended in place, and every other byte stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit


@pytest.fixture
def wrong(zoo: Path) -> Path:
    """The toy zoo with a quoted parameter count and a commented FLOPs count that are wrong, in a card with CRLF."""
    card = zoo / "cards" / "small.md"
    edit(card, 'Parameters: "216"', "Parameters: '217'   # counted by hand")
    edit(card, "FLOPs: 55296  # by fvcore", "FLOPs: 55297  # by fvcore, says Zoë")
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes().replace(b"\n", b"\r\n"))
    return zoo


def test_fix_mends_the_scalars_alone_and_a_second_run_is_clean(wrong: Path, audit: Audit) -> None:
    card = wrong / "cards" / "small.md"
    before, other = card.read_bytes(), (wrong / "cards" / "large.md").read_bytes()
    result = audit("--fix")
    assert result.exit_code == 0, result.output
    assert "mended cards/small.md:8:12 FLP001" in result.stderr
    assert "mended cards/small.md:9:17 PAR001" in result.stderr
    assert card.read_bytes() == before.replace(b"'217'", b"'216'").replace(b"55297", b"55296")
    assert (wrong / "cards" / "large.md").read_bytes() == other
    assert audit().exit_code == 0


def test_fix_tells_what_is_left(wrong: Path, audit: Audit) -> None:
    edit(wrong / "cards" / "large.md", "Name: large", "Name: huge")
    result = audit("--fix")
    assert result.exit_code == 1
    assert "MOD001" in result.stdout
    assert "FLP001" not in result.stdout


def test_diff_is_a_patch_and_writes_nothing(wrong: Path, audit: Audit) -> None:
    card = wrong / "cards" / "small.md"
    before = card.read_bytes()
    result = audit("--diff")
    assert result.exit_code == 1
    assert card.read_bytes() == before
    assert "--fix would mend 2 findings and leave 0; nothing was written." in result.stderr
    patch = result.stdout_bytes
    assert "-    FLOPs: 55297  # by fvcore, says Zoë\r\n" in patch.decode()
    assert "+    FLOPs: 55296  # by fvcore, says Zoë\r\n" in patch.decode()
    subprocess.run(["git", "apply", "-"], cwd=wrong, input=patch, check=True)
    assert card.read_bytes() == before.replace(b"'217'", b"'216'").replace(b"55297", b"55296")


def test_fix_respects_selection(wrong: Path, audit: Audit) -> None:
    assert audit("--fix", "--select", "PAR").exit_code == 0
    text = (wrong / "cards" / "small.md").read_text("utf-8")
    assert "'216'" in text
    assert "55297" in text


def test_a_file_that_cannot_be_written_is_told_and_kept(
    wrong: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = wrong / "cards" / "small.md"
    before = card.read_bytes()

    def refuse(*_arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    result = audit("--fix", "--no-cache")
    assert result.exit_code == 1
    assert "cards/small.md could not be written: Permission denied" in result.stderr
    assert card.read_bytes() == before
    assert sorted(path.name for path in card.parent.iterdir()) == ["large.md", "small.md"]


def test_a_card_outside_the_project_is_not_mended(wrong: Path, audit: Audit, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_bytes((wrong / "cards" / "small.md").read_bytes())
    (wrong / "cards" / "small.md").unlink()
    (wrong / "cards" / "small.md").symlink_to(outside)
    before = outside.read_bytes()
    result = audit("--fix")
    assert result.exit_code == 1
    assert outside.read_bytes() == before
