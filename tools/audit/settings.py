"""What an audit is to do: ``[tool.zoo-audit]`` of pyproject.toml, overridden by the command line's flags.

Every setting has one reader (:data:`SETTINGS`), which the table and the flags share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.audit.nearest import hint
from tools.measure.records import Factory, InputSize
from tools.rules.records import Severity

TABLE = "tool.zoo-audit"


class SettingsError(Exception):
    """Settings that cannot be used; the message says where and what to do."""


class NothingToAuditError(Exception):
    """There is no index, or no model in it; the message gives a way out."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One audit's settings. Every path is absolute."""

    project: Path
    """Folder that holds the settings: paths in reports are relative to it, and only files inside are read or mended."""
    index: tuple[Path, ...] = ()
    """Files and folders to read; empty: ``model-index.yml`` of ``project``."""
    partial: bool = False
    """The paths were given by hand, so that models of the zoo which they leave out are no findings."""
    models: tuple[str, ...] = ()
    """Patterns of the names to audit; empty: all."""
    factory: str | None = None
    """``package.module:callable``."""
    root: Path | None = None
    """Folder to import the factory from; ``None``: ``project``."""
    config_of: str | None = None
    list_models: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    """Name in the index -> name that the factory is called with, where they differ."""
    input_size: InputSize | None = None
    static: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    baseline: Path | None = None
    weights: Path | None = None
    source: Path | None = None
    download: bool = False
    online: bool = False
    mirror: Mapping[str, str] = field(default_factory=dict)
    """Prefix of a URL -> what stands in its place."""
    jobs: int | None = None
    """Worker processes; ``None``: one a core."""
    timeout: float | None = None
    """Seconds for one model; ``None``: the measuring room's own limit."""
    memory: int | None = None
    """Bytes for one worker; ``None``: no limit."""
    cache: bool = True
    refresh: bool = False
    cluster: str | None = None
    """Address of a dask scheduler."""

    @property
    def cache_path(self) -> Path | None:
        """Where measurements are kept from run to run; ``None``: nowhere."""
        from tools.measure.cache import default_path

        return default_path(self.project) if self.cache else None

    def build(self) -> Factory | None:
        """The factory as the measuring room takes it, or ``None`` where none is configured."""
        if self.factory is None:
            return None
        return Factory(self.factory, str(self.root or self.project), self.config_of, self.list_models)


Reader = Callable[[Any, Path], Any]
"""Turns a value (TOML's or a flag's text) into a setting; the folder is what relative paths are relative to.

Raises ValueError with what is expected.
"""


def _text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a string")
    return value


def _target(value: Any, folder: Path) -> str:
    if not re.fullmatch(r"[^\s:]+:[^\s:]+", _text(value, folder)):
        raise ValueError("expected 'package.module:callable', such as 'timm:create_model'")
    return str(value)


def _path(value: Any, folder: Path) -> Path:
    return (folder / Path(_text(value, folder)).expanduser()).absolute()


def _existing(value: Any, folder: Path) -> Path:
    path = _path(value, folder)
    if not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    return path


def _paths(value: Any, folder: Path) -> tuple[Path, ...]:
    """Files, folders and globs."""
    from glob import glob, has_magic

    paths: list[Path] = []
    for pattern in _texts(value, folder):
        path = _path(pattern, folder)
        if path.exists() or not has_magic(pattern):
            if not path.exists():
                raise ValueError(f"there is no file or folder {path}")
            paths.append(path)
            continue
        found = sorted(glob(str(path), recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
        if not found:
            raise ValueError(f"no file matches {pattern!r}")
        paths.extend(map(Path, found))
    return tuple(dict.fromkeys(paths))


def _texts(value: Any, folder: Path) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple):
        raise ValueError("expected a string or a list of strings")
    return tuple(_text(item, folder) for item in values)


def _codes(value: Any, folder: Path) -> tuple[str, ...]:
    return tuple(code.strip().upper() for item in _texts(value, folder) for code in item.split(",") if code.strip())


def _mapping(value: Any, folder: Path) -> dict[str, str]:
    """A TOML table, or the texts ``KEY=VALUE`` of a repeated flag."""
    if isinstance(value, Mapping):
        return {str(key): _text(item, folder) for key, item in value.items()}
    pairs = [item.partition("=") for item in _texts(value, folder)]
    if not all(key and equals and item for key, equals, item in pairs):
        raise ValueError("expected KEY=VALUE")
    return {key: item for key, _, item in pairs}


def _severities(value: Any, folder: Path) -> dict[str, Severity]:
    levels = {level.value: level for level in Severity}
    severities = {}
    for code, level in _mapping(value, folder).items():
        if level not in levels:
            raise ValueError(f"unknown severity {level!r}; expected one of {', '.join(levels)}")
        severities[code.upper()] = levels[level]
    return severities


def _input_size(value: Any, _folder: Path) -> InputSize:
    """``224``, ``3x224x224`` or ``[3, 224, 224]``."""
    parts = value if isinstance(value, list) else str(value).lower().split("x")
    try:
        size = tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        size = ()
    if len(size) == 1:
        size = (3, size[0], size[0])
    if len(size) != 3 or min(size) < 1:
        raise ValueError("expected 224 or 3x224x224 (channels x height x width)")
    return size


def _count(value: Any, _folder: Path) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = 0
    if count < 1 or isinstance(value, bool | float):
        raise ValueError("expected a whole number above 0")
    return count


def _seconds(value: Any, _folder: Path) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf") or isinstance(value, bool):
        raise ValueError("expected seconds above 0")
    return seconds


def _bytes(value: Any, _folder: Path) -> int:
    """``4GB``, ``512 MiB`` or a number of bytes."""
    factors = {"": 1, "K": 1, "M": 2, "G": 3, "T": 4}
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", str(value).strip(), re.IGNORECASE)
    if not match or isinstance(value, bool):
        raise ValueError("expected a size such as 4GB, 512MiB or 1000000000")
    unit = (match[2] or "").upper()
    size = float(match[1]) * ((1024 if match[3] else 1000) ** factors[unit] if unit else 1)
    if size < 1:
        raise ValueError("expected a size above 0")
    return int(size)


SETTINGS: Mapping[str, Reader] = {
    "index": _paths,
    "models": _texts,
    "factory": _target,
    "root": _existing,
    "config-of": _target,
    "list-models": _target,
    "rename": _mapping,
    "input-size": _input_size,
    "select": _codes,
    "ignore": _codes,
    "severity": _severities,
    "baseline": _path,
    "weights": _existing,
    "source": _existing,
    "mirror": _mapping,
    "jobs": _count,
    "timeout": _seconds,
    "memory": _bytes,
}
"""Every key of ``[tool.zoo-audit]``, each also a flag of the same name, with what reads it."""


def read(key: str, value: Any, folder: Path, where: str) -> Any:
    """One setting's value.

    Raises:
        SettingsError: it is not what the setting takes; the message begins with ``where``.
    """
    try:
        return SETTINGS[key](value, folder)
    except ValueError as error:
        raise SettingsError(f"{where}: {error}, got {value!r}") from None


def find_config(folder: Path) -> Path | None:
    """The nearest pyproject.toml with a ``[tool.zoo-audit]`` table, in ``folder`` or above it."""
    folder = folder.absolute()
    for candidate in (folder, *folder.parents):
        path = candidate / "pyproject.toml"
        if path.is_file() and "zoo-audit" in path.read_text("utf-8", "replace") and _table(path) is not None:
            return path
    return None


def from_config(path: Path | None, folder: Path) -> Settings:
    """The settings of one pyproject.toml; the defaults, with ``folder`` as the project, where ``path`` is ``None``.

    Raises:
        SettingsError: the file is broken, or a key or value is wrong.
    """
    if path is None:
        return Settings(folder.absolute())
    table = _table(path)
    if table is None:
        raise SettingsError(f"{path}: no [{TABLE}] table in it")
    project = path.parent.absolute()
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{path}{_line(path, key)}: {key}"
        if key not in SETTINGS:
            raise SettingsError(f"{where} is no setting of [{TABLE}]{hint(key, SETTINGS, _known())}")
        values[key.replace("-", "_")] = read(key, value, project, where)
    return replace(Settings(project), **values)


def _known() -> str:
    return f"; the settings are {', '.join(SETTINGS)}"


def _table(path: Path) -> dict[str, Any] | None:
    import tomllib

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    tool = document.get("tool")
    table = tool.get("zoo-audit") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{path}: {TABLE} must be a table")
    return table


def _line(path: Path, key: str) -> str:
    """``:12`` where the key's line can be told from the text (tomllib gives no places); else nothing."""
    inside = False
    assignment = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    header = re.compile(r"\s*\[\s*tool\s*\.\s*[\"']?zoo-audit[\"']?\s*(?:\.\s*[\"']?(?P<key>[\w-]+)[\"']?\s*)?\]")
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.lstrip().startswith("["):
            match = header.match(line)
            inside = match is not None and match["key"] is None
            if match is not None and match["key"] == key:
                return f":{number}"
        elif inside and assignment.match(line):
            return f":{number}"
    return ""
