"""Settings: the table and the flags read alike, and what cannot be used is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit
from tools.audit import settings
from tools.audit.settings import SettingsError
from tools.rules.records import Severity


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("input-size", 224, (3, 224, 224)),
        ("input-size", "1x28x28", (1, 28, 28)),
        ("input-size", [3, 299, 299], (3, 299, 299)),
        ("memory", "4GB", 4 * 1000**3),
        ("memory", "512 MiB", 512 * 1024**2),
        ("memory", 1000000, 1000000),
        ("timeout", "2.5", 2.5),
        ("jobs", "3", 3),
        ("select", ["flp, PAR001", "wts"], ("FLP", "PAR001", "WTS")),
        ("severity", ["LNK=note"], {"LNK": Severity.NOTE}),
        ("severity", {"lnk": "note"}, {"LNK": Severity.NOTE}),
        ("rename", ["a=b/c=d"], {"a": "b/c=d"}),
        ("mirror", {"https://a/": "file:///b/"}, {"https://a/": "file:///b/"}),
        ("models", "tf_*", ("tf_*",)),
    ],
)
def test_values_are_read(key: str, value: Any, wanted: Any) -> None:
    assert settings.read(key, value, Path("/nowhere"), key) == wanted


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input-size", "3x224"),
        ("input-size", 0),
        ("input-size", True),
        ("memory", "4 parsecs"),
        ("memory", "0"),
        ("timeout", "nan"),
        ("timeout", "inf"),
        ("jobs", 1.5),
        ("jobs", True),
        ("factory", "zoo"),
        ("factory", 3),
        ("rename", "ab"),
        ("index", "no/such/file.yml"),
        ("index", "no/*.yml"),
        ("index", 3),
        ("weights", "no/such/folder"),
        ("severity", {"LNK": 3}),
    ],
)
def test_values_that_mean_nothing_are_refused(key: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^here: .*, got "):
        settings.read(key, value, tmp_path, "here")


def test_globs_are_expanded_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "deep/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = settings.read("index", ["a.md", "**/*.md"], tmp_path, "index")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.md", "b.md", "deep/c.md"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[tool.zoo-audit]\n\njobs = "many"\n', ":3: jobs: expected a whole number above 0, got 'many'"),
        ("[tool.other]\njob = 1\n[tool.zoo-audit]\njob = 1\n", ":4: job is no setting"),
        ("[tool.zoo-audit]\n[tool.zoo-audit.severty]\nFLP = 'note'\n", ":2: severty is no setting"),
        ("[tool]\nzoo-audit = 3\n", ": tool.zoo-audit must be a table"),
    ],
)
def test_mistakes_in_the_table_are_located(tmp_path: Path, table: str, message: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(table, "utf-8")
    with pytest.raises(SettingsError) as raised:
        settings.from_config(path, tmp_path)
    assert str(raised.value).startswith(f"{path}{message}")


def test_a_flag_wins_over_its_key_and_adds_to_a_table(zoo: Path, audit: Audit) -> None:
    edit(zoo / "pyproject.toml", 'rename = { small = "net/small" }', 'rename = { small = "wrong", large = "large" }')
    assert audit("--rename", "small=net/small").exit_code == 0
    assert audit("--factory", "nowhere:create_model", "--no-cache", "--models", "large").exit_code == 1


def test_a_listing_that_fails_is_told_and_is_not_clean(zoo: Path, audit: Audit) -> None:
    result = audit("--list-models", "toyzoo:nothing_here", "--quiet")
    assert result.exit_code == 2
    assert "toyzoo:nothing_here could not list the zoo's models: " in result.stderr
    assert "0 errors" in result.stdout


def test_a_model_without_a_card_is_found_in_a_full_run_alone(zoo: Path, audit: Audit) -> None:
    edit(zoo / "model-index.yml", "- cards/*.md", "- cards/small.md")
    # Only published models must have a card: the code gives large a weights URL.
    edit(
        zoo / "toyzoo.py",
        "input_size=(3, 16, 16))",
        "input_size=(3, 16, 16), url='https://a.org/l.pth' * (name == 'large'))",
    )
    full = audit("--list-models", "toyzoo:list_models")
    assert [line for line in full.stdout.splitlines() if "MOD009" in line and "large" in line]
    assert "MOD009" not in audit("--list-models", "toyzoo:list_models", "cards/small.md").stdout
