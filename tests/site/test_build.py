from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.site.project import PARAMETERS, ROOT, card, environment, make, mkdocs
from tools.site.machines import SCHEMA_FILE

# What `mkdocs build` does, then a look at what was imported.
BUILD_AND_LOOK = """
import sys
from mkdocs.__main__ import cli
cli(sys.argv[1:], standalone_mode=False)
print(sorted(m for m in ("torch", "fvcore", "numpy") if m in sys.modules))
"""


def test_importing_the_macros_loads_no_torch() -> None:
    look = "import sys, tools.site, tools.site.build; print({'torch', 'fvcore', 'numpy', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    right = f"- Name: tiny\n  Metadata:\n    Parameters: {PARAMETERS}"
    return make(
        tmp_path_factory.mktemp("project"),
        {"index.md": card(right, text="{{ summary_table() }}\n\n{{ audit_state() }}\n\n{{ cost_breakdown() }}")},
    )


@pytest.fixture(scope="module")
def built(project: Path) -> Path:
    done = mkdocs(project, "build", "-d", str(project / "site"))
    assert done.returncode == 0, done.stderr
    return project / "site"


def test_a_second_build_measures_nothing_and_gives_the_same_bytes(project: Path, built: Path) -> None:
    command = [sys.executable, "-c", BUILD_AND_LOOK, "build", "-q", "-d", str(project / "again")]
    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    first, second = (
        {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
        for site in (built, project / "again")
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_machines_get_their_files(built: Path) -> None:
    document = json.loads((built / "models.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text("utf-8")))
    (model,) = document["models"]
    assert model["measured"]["parameters"] == PARAMETERS
    assert json.loads((built / "models/tiny.json").read_text("utf-8")) == model
    assert (built / "models.schema.json").read_bytes() == SCHEMA_FILE.read_bytes()
    merged = yaml.safe_load((built / "model-index.yml").read_text("utf-8"))
    assert [entry["Name"] for entry in merged["Models"]] == ["tiny"]
    assert "claims verified: 1/1" in (built / "badge.svg").read_text("utf-8")


def test_the_index_is_no_part_of_the_page_and_json_ld_is(built: Path) -> None:
    html = (built / "index.html").read_text("utf-8")
    assert "Type: model-index" not in html
    assert '<script type="application/ld+json">' in html


def test_a_wrong_claim_fails_the_build_however_quiet(project: Path, built: Path, tmp_path: Path) -> None:
    wrong = make(tmp_path, {"index.md": card("- Name: tiny\n  Metadata:\n    Parameters: 163")})
    for quiet in ([], ["-q"]):
        done = mkdocs(wrong, "build", *quiet, "-d", str(tmp_path / "site"))
        assert done.returncode != 0
        assert "docs/index.md:10:17 PAR001" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ summary_tabel() }}", "summary_tabel"),
        ("{{ model_nmae }}", "model_nmae"),
        ("{% include 'no_such_snippet.md' %}", "no_such_snippet.md"),
        ('{{ citation("nobody2019") }}', "references.bib"),
        ('{{ rule_page("XYZ999") }}', "XYZ999"),
        ("{{ summary_table( }}", "index.md"),
    ],
)
def test_a_typo_fails_the_build(tmp_path: Path, text: str, told: str) -> None:
    project = make(tmp_path, {"index.md": f"# Page\n\n{text}\n"})
    done = mkdocs(project, "build", "-d", str(tmp_path / "site"))
    assert done.returncode != 0
    assert told in done.stderr


def test_a_table_on_a_page_without_models_fails_the_build(project: Path, built: Path) -> None:
    page = project / "docs" / "other.md"
    page.write_text("# Other\n\n{{ summary_table() }}\n", encoding="utf-8")
    try:
        done = mkdocs(project, "build", "-d", str(project / "other"))
    finally:
        page.unlink()
    assert done.returncode != 0
    assert "docs/other.md: the model index has no model on this page" in done.stderr
