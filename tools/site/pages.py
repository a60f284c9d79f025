"""Write the rule pages that are missing, and remove those whose rule is gone: ``python -m tools.site.pages``.

The pages are real files, so that they build wherever the macros do, with their documentation in the rule's class.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.rules.registry import RULES
from tools.rules.rule import Rule

FOLDER = Path(__file__).parents[2] / "docs" / "rules"


def text(rule: Rule) -> str:
    """A rule's page: a title for the search, and the macro that shows the rest."""
    return f'---\ntitle: {rule.code}\n---\n\n{{{{ rule_page("{rule.code}") }}}}\n'


def write(folder: Path) -> list[Path]:
    """Bring a folder in step with the rules. Returns the files that were written or removed."""
    wanted = {folder / f"{rule.code}.md": text(rule) for rule in RULES}
    changed = []
    for path, content in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8", newline="\n")
            changed.append(path)
    for path in folder.glob("[A-Z][A-Z][A-Z][0-9][0-9][0-9].md"):
        if path not in wanted:
            path.unlink()
            changed.append(path)
    return sorted(changed)


if __name__ == "__main__":
    for changed in write(FOLDER):
        sys.stdout.write(f"{changed}\n")
