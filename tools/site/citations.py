"""Citations from ``docs/references.bib``, read and written by pybtex."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class CitationError(LookupError):
    """A key that the references do not hold, or a file of references that cannot be read."""


def entries(path: Path) -> Mapping[str, str]:
    """Every reference of a BibTeX file: key -> its entry, written out again in one layout.

    Raises:
        CitationError: the file cannot be read or parsed.
    """
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        bibliography = parse_file(str(path), bib_format="bibtex")
    except (OSError, PybtexError) as error:
        raise CitationError(f"{path.name}: {error}") from error
    return {key: entry.to_string("bibtex").strip() for key, entry in bibliography.entries.items()}


def citation(references: Mapping[str, str], key: str) -> str:
    """One reference as a fenced BibTeX block, which gets a copy button on the page.

    Raises:
        CitationError: there is no such key.
    """
    if key not in references:
        raise CitationError(f"no reference has the key {key!r}; there are {', '.join(sorted(references)) or 'none'}")
    text = references[key]
    fence = "`" * max(3, _longest_run(text, "`") + 1)
    return f"{fence}bibtex\n{text}\n{fence}"


def _longest_run(text: str, character: str) -> int:
    longest = run = 0
    for c in text:
        run = run + 1 if c == character else 0
        longest = max(longest, run)
    return longest
