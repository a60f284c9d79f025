"""Which files an audit reads, and the folder that their paths are relative to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tools.audit.settings import Settings


def index_files(settings: Settings) -> tuple[Path, ...]:
    """The files and folders to read; empty where none is named and the project has no ``model-index.yml``."""
    if settings.index:
        return settings.index
    from tools.modelindex.load import INDEX_NAMES

    return tuple(path for name in INDEX_NAMES if (path := settings.project / name).is_file())[:1]


def project_of(files: Sequence[Path], project: Path) -> Path:
    """``project`` where it holds all the files, else the nearest folder that does and looks like a repository."""
    folders = [path.resolve() if path.is_dir() else path.parent.resolve() for path in files]
    if all(folder.is_relative_to(project.resolve()) for folder in folders) or not folders:
        return project
    common = Path(os.path.commonpath(folders))
    for folder in (common, *common.parents):
        if (folder / ".git").exists() or (folder / "pyproject.toml").is_file():
            return folder
    return common
