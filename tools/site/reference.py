"""While ``mkdocs serve`` runs: the API reference is rendered again only when the code has changed.

It takes about half of a build, and somebody who writes a card should not wait for it. Between two changes of the
code its pages are those of the last whole build; only the search box does not find them meanwhile.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_DIRECTIVE = re.compile(r"^::: .*\n?(?:[ \t]+.*\n?|\n(?=[ \t]))*", re.MULTILINE)
_STYLES = "assets/_mkdocstrings.css"


class Reference:
    """The rendered pages of the API reference, from build to build."""

    def __init__(self) -> None:
        self._state: object = None
        self._pages: dict[str, bytes] = {}
        self._new_state: object = None
        self._found: set[str] = set()
        self._reuse = False

    def begin(self, config: Any, project: Path) -> None:
        """Before a build: find out whether the rendered pages still hold; if so, nothing renders them again."""
        plugin = config.plugins.get("mkdocstrings")
        self._new_state = _state(config, project) if plugin else None
        self._reuse = plugin is not None and bool(self._pages) and self._new_state == self._state
        self._found = set()
        if self._reuse:
            plugin.config.enabled = False

    def page(self, markdown: str, target: str) -> str:
        """A page's Markdown, without the directives that nothing renders in this build."""
        if not _DIRECTIVE.search(markdown):
            return markdown
        self._found.add(target)
        return _DIRECTIVE.sub("", markdown) if self._reuse else markdown

    def end(self, site: Path) -> None:
        """After a build: keep its pages, or put those in place that were kept."""
        if self._reuse:
            for target, content in self._pages.items():
                (site / target).parent.mkdir(parents=True, exist_ok=True)
                (site / target).write_bytes(content)
        elif self._found:
            kept = [target for target in (*sorted(self._found), _STYLES) if (site / target).is_file()]
            self._pages = {target: (site / target).read_bytes() for target in kept}
            self._state = self._new_state


def _state(config: Any, project: Path) -> object:
    """What the reference depends on: the code, the configuration and the pages that ask for it."""
    folders = [path.parent for path in project.glob("*/__init__.py")]
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    pages = [path for path in Path(config.docs_dir).rglob("*.md") if path.read_bytes().find(b"\n::: ") >= 0]
    files = sorted([*sources, *pages, Path(config.config_file_path)])
    return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files]
