"""PAG: the card as a page of a site: it renders, and what it tells its reader to type works."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from tools.modelindex.records import Place
from tools.rules.citation import bibtex_blocks
from tools.rules.evidence import Evidence
from tools.rules.pages import Page
from tools.rules.records import Severity
from tools.rules.rule import Outcome, Rule

_OPENING = re.compile(r"\{\{|\{%|\{#")
_PLAIN_MACRO = re.compile(
    r"""\{%-?\ *raw\ *-?%\}.*?\{%-?\ *endraw\ *-?%\}
      | \{%-?\ *include\ +(?:'[^'{}\n]*'|"[^"{}\n]*")\ *-?%\}
      | \{\{-?\ *[A-Za-z_][\w.]*\ *(?:\((?:[^(){}'"\n]|'[^'\n{}]*'|"[^"\n{}]*")*\))?\ *-?\}\}
    """,
    re.VERBOSE | re.DOTALL,
)
"""Uses of macros that surely parse: most pages hold no others, so that Jinja need not be loaded."""
_NO_MACROS = re.compile(r"^(?:render_macros[ \t]*:[ \t]*false|ignore_macros[ \t]*:[ \t]*true)\b", re.MULTILINE)
_CREATE = re.compile(
    r"\b(?:create_model|get_model|model_info)\(\s*(?:(?:model_)?name\s*=\s*)?(?P<quote>['\"])(?P<name>[^'\"{}\n]{1,200})(?P=quote)"
)


class UnescapedBraces(Rule):
    """Braces that a site with macros takes for its own."""

    code = "PAG001"
    title = "Unescaped braces break the site"
    severity = Severity.WARNING
    why = (
        "Sites built with macros read `{{`, `{%` and `{#` as template code. BibTeX titles in double braces and "
        "anchors such as `{#top}` make the build fail, or vanish from the page."
    )
    remedy = (
        "Put `{% raw %}` before and `{% endraw %}` behind the passage, or write single braces in BibTeX. For a site "
        "without macros, leave this rule out (`--ignore PAG001`)."
    )
    before = "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  title = {{MixConv: Mixed Kernels}}\n}\n```\n"
    after = "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  title = {MixConv: Mixed Kernels}\n}\n```\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look at every page that holds such braces; Jinja itself decides about what is not plainly a macro."""
        for page in evidence.pages:
            if _OPENING.search(page.text) and not _NO_MACROS.search(page.text[:2000]):
                offset = _broken(page)
                if offset is not None:
                    shown = page.text[offset : offset + 2]
                    message = f"{shown} begins template code that does not parse; escape it with {{% raw %}}"
                    yield self.finding(evidence.place(page.path, offset), message)


def _broken(page: Page) -> int | None:
    """The offset of the braces that break a page; ``None`` where it renders."""
    text = page.text
    ends = {found.start(): found.end() for found in _PLAIN_MACRO.finditer(text)}
    starts = list(ends)
    odd = []
    for opening in _OPENING.finditer(text):
        before = bisect_right(starts, opening.start()) - 1
        if before < 0 or opening.start() >= ends[starts[before]]:
            odd.append(opening.start())
    in_bibtex = [
        match.start()
        for block in bibtex_blocks(page)
        for match in re.finditer(r"=\s*(\{\{)", text[block.start : block.end])
    ]
    if not odd and not in_bibtex:
        return None
    if odd:
        line = _jinja_error(text)
        if line is not None:
            first, last = _line_span(text, line)
            return next((offset for offset in odd if first <= offset < last), odd[0])
    for block in bibtex_blocks(page):
        match = re.compile(r"=\s*(\{\{)").search(text, block.start, block.end)
        if match is not None and not _in_raw(text, match.start(1)):
            return match.start(1)
    return None


def _line_span(text: str, line: int) -> tuple[int, int]:
    """The offsets of a line's beginning and of the next one's."""
    first = 0
    for _ in range(line - 1):
        first = text.find("\n", first) + 1
    end = text.find("\n", first)
    return first, len(text) if end < 0 else end + 1


def _in_raw(text: str, offset: int) -> bool:
    return text.rfind("{% raw %}", 0, offset) > text.rfind("{% endraw %}", 0, offset)


def _jinja_error(text: str) -> int | None:
    """The line at which Jinja gives up on a page; ``None`` where it parses."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        Environment(autoescape=True).parse(text)
    except TemplateSyntaxError as error:
        return error.lineno
    except (RecursionError, ValueError):
        return 1
    return None


class WrongModelName(Rule):
    """A model_name in the front matter that the page does not describe."""

    code = "PAG002"
    title = "The front matter's model_name is not a model of the page"
    why = (
        "The page's snippets are filled with this name: the reader copies code for a model that the page is not about."
    )
    remedy = "Write the name of one of the page's models."
    before = "---\nmodel_name: mixnet_ss\n---\n\n# MixNet\n\n<!--\nType: model-index\nModels:\n- Name: mixnet_s\n-->\n"
    after = "---\nmodel_name: mixnet_s\n---\n\n# MixNet\n\n<!--\nType: model-index\nModels:\n- Name: mixnet_s\n-->\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Compare the front matter of every page with its models, or with all names where it has none."""
        on_page: defaultdict[str, set[str]] = defaultdict(set)
        for subject in evidence.subjects:
            if subject.model.page is not None:
                on_page[subject.model.page].add(subject.name)
        for page in evidence.pages:
            stated = page.model_name
            if stated is None:
                continue
            name, offset = stated
            if name not in (on_page.get(page.path) or evidence.names):
                message = f"model_name: the page describes no model {name}"
                yield self.finding(evidence.place(page.path, offset), message, model=name, claimed=name)


class UnknownInSnippet(Rule):
    """A snippet that asks for a model nobody has."""

    code = "PAG003"
    title = "A snippet names an unknown model"
    why = "The reader copies the line and gets an error."
    remedy = "Write the name that the zoo builds."
    before = "# MixNet\n\n```python\nmodel = zoo.create_model('mixnet_ss')\n```\n"
    after = "# MixNet\n\n```python\nmodel = zoo.create_model('mixnet_s')\n```\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look for names given to a factory in fenced code. With a part of the index alone, nothing is known."""
        if evidence.context.partial and evidence.context.listing is None:
            return
        for page in evidence.pages:
            if not _CREATE.search(page.text):
                continue
            for fence in page.fences:
                for match in _CREATE.finditer(page.text, fence.start, fence.end):
                    name = match["name"]
                    if name not in evidence.names:
                        place: Place = evidence.place(page.path, match.start("name"))
                        near = evidence.nearest(name)
                        hint = f"; did you mean {' or '.join(near)}?" if near else ""
                        yield self.finding(place, f"the snippet names an unknown model {name}{hint}", claimed=name)


PAGE_RULES = (UnescapedBraces(), WrongModelName(), UnknownInSnippet())
