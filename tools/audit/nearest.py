"""A way out of a typing error: the nearest of the names that exist."""

from __future__ import annotations

from collections.abc import Iterable


def hint(wrong: str, known: Iterable[str], otherwise: str = "") -> str:
    """``; did you mean 'x' or 'y'?`` for the nearest known names, else ``otherwise``."""
    from difflib import get_close_matches

    near = get_close_matches(wrong, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else otherwise
