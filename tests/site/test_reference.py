"""The API reference between two builds of a preview, with a site that stands in for the plugins' part."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.site.reference import Reference

PAGE = "# api\n\n::: package.module\n    options:\n      heading_level: 3\n\nText after it.\n"
TARGET = "api/index.html"


class Preview:
    """A project whose builds render one page, as far as they are asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reference = Reference()
        (folder / "package").mkdir()
        (folder / "package/__init__.py").write_text("")
        (folder / "docs").mkdir()
        (folder / "docs/api.md").write_text(PAGE)
        (folder / "mkdocs.yml").write_text("")

    def build(self, html: str) -> tuple[bool, str, str]:
        """Whether the reference was rendered, its Markdown, and what is on the site in the end."""
        mkdocstrings = SimpleNamespace(config=SimpleNamespace(enabled=True))
        config = SimpleNamespace(
            plugins={"mkdocstrings": mkdocstrings},
            docs_dir=str(self.folder / "docs"),
            config_file_path=str(self.folder / "mkdocs.yml"),
        )
        self.reference.begin(config, self.folder)
        markdown = self.reference.page((self.folder / "docs/api.md").read_text(), TARGET)
        built = self.folder / "site" / TARGET
        built.parent.mkdir(parents=True, exist_ok=True)
        built.write_text(html)
        self.reference.end(self.folder / "site")
        return mkdocstrings.config.enabled, markdown, built.read_text()


@pytest.fixture
def preview(tmp_path: Path) -> Preview:
    return Preview(tmp_path)


def later(path: Path) -> None:
    time = path.stat().st_mtime_ns + 2_000_000_000
    os.utime(path, ns=(time, time))


def test_the_first_build_renders_it(preview: Preview) -> None:
    assert preview.build("whole") == (True, PAGE, "whole")


def test_the_next_build_takes_what_was_rendered(preview: Preview) -> None:
    preview.build("whole")
    assert preview.build("empty") == (False, "# api\n\n\nText after it.\n", "whole")
    assert preview.build("empty")[2] == "whole"


@pytest.mark.parametrize("changed", ["package/__init__.py", "docs/api.md", "mkdocs.yml"])
def test_it_is_rendered_again_when_it_may_differ(preview: Preview, changed: str) -> None:
    preview.build("whole")
    later(preview.folder / changed)
    assert preview.build("new") == (True, PAGE, "new")


def test_a_site_without_one_is_left_alone(tmp_path: Path) -> None:
    reference = Reference()
    for _ in range(2):
        reference.begin(SimpleNamespace(plugins={}), tmp_path)
        assert reference.page("# Page\n", "index.html") == "# Page\n"
        reference.end(tmp_path)
