"""The state of the repository that a site was built from."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Commit:
    """What the pages say about where they come from; empty strings where it is not known."""

    hash: str = ""
    date: str = ""
    """ISO date in UTC: ``SOURCE_DATE_EPOCH`` where it is set, else the commit's."""
    changed: bool = False
    """Files that git tracks differ from the commit."""


def commit(root: Path) -> Commit:
    """The commit checked out in ``root``. Never fails: a folder without git has no commit, and says so."""
    head = _git(root, "log", "-1", "--format=%h %ct", "--abbrev=10")
    if not head:
        return Commit(date=_date(os.environ.get("SOURCE_DATE_EPOCH", "")))
    short_hash, _, seconds = head.partition(" ")
    changed = bool(_git(root, "status", "--porcelain", "--untracked-files=no", "--", "."))
    return Commit(short_hash, _date(os.environ.get("SOURCE_DATE_EPOCH") or seconds), changed)


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _date(seconds: str) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
