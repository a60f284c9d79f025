"""How a report is written: what a format may ask beyond the report itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """The defaults suit a file: no colour, lines as long as they are."""

    colour: bool = False
    """ANSI colours (text)."""
    width: int | None = None
    """Columns of the terminal that long reasons are folded to (text); ``None``: one line a claim, however long."""
    quiet: bool = False
    """Findings and summary alone (text)."""
    verbose: bool = False
    """Operators, counters, tracebacks and ignored findings too (text)."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The decoded text of the files that were read, by path: what SARIF needs to show a fix."""
