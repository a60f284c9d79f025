"""HTML that says only what it should: every value is escaped, Markdown's own characters included.

Names, titles, tags and URLs come from model indexes that anybody may have written. They pass through
three parsers on their way to the page (Jinja, Markdown, the browser), so a value is turned into
character references that none of the three gives a meaning to.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markupsafe import Markup

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"

_REFERENCES = {ord(character): f"&#{ord(character)};" for character in "&<>\"'`{}|*_[]~^\\$#!"}
# A value is one run of text: a line break or a tab could begin a fence, a heading or a table row.
_REFERENCES.update(dict.fromkeys(map(ord, "\n\r\t\v\f\x85\u2028\u2029"), " "))
# Python-Markdown marks its own stashed blocks with these two, and NUL is no character of HTML.
_REFERENCES.update(dict.fromkeys((0x00, 0x02, 0x03), "\N{REPLACEMENT CHARACTER}"))


def escape(value: object) -> Markup:
    """``value`` as text that HTML, Markdown and Jinja all leave alone.

    Markup that this package made is passed through.
    """
    return value if isinstance(value, Markup) else _escaped(str(value))


@lru_cache(maxsize=4096)
def _escaped(text: str) -> Markup:
    """The same names, headings and marks stand on every page of a site."""
    return Markup(text.translate(_REFERENCES))  # noqa: S704 - the translation is the escaping


def web_url(value: str | None) -> str | None:
    """``value`` if it is an absolute http or https URL, else ``None``: the page then shows it as text."""
    if value is None or any(ord(character) <= 0x20 for character in value):
        return None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return None
    return value if parts.scheme.lower() in {"http", "https"} and host else None


def render(template: str, **values: object) -> Markup:
    """Render a template of this package. It can only hold values that are escaped.

    Raises:
        jinja2.TemplateError: a template that is wrong, or a value that it misses.
    """
    return Markup(_environment().get_template(template).render(**values))  # noqa: S704 - autoescaped


def forget_templates() -> None:
    """Read the templates anew from now on: while a site is served, somebody may change them."""
    _environment.cache_clear()


def as_block(markup: Markup) -> str:
    """Markup as a block of its own in a Markdown page; Markdown leaves alone what stands in a ``div``."""
    lines = [line.strip() for line in str(markup).splitlines() if line.strip()]
    return "\n".join(["\n", '<div class="za">', *lines, "</div>", "\n"])


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    from tools.site import numbers
    from tools.site.verdicts import MEANING, SYMBOL

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=escape,
        trim_blocks=True,
        lstrip_blocks=True,
        # A template is looked at once a build and not once a use; see :func:`forget_templates`.
        auto_reload=False,
    )
    environment.filters.update(
        web_url=web_url,
        grouped=numbers.grouped,
        short=numbers.short,
        bytes=numbers.short_bytes,
        size=numbers.input_size,
        percent=numbers.percent,
    )
    environment.globals["symbols"] = SYMBOL
    environment.globals["legend"] = Markup(environment.get_template("legend.html").render(looks=MEANING))  # noqa: S704
    return environment
