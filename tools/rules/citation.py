"""CIT: the work is cited, correctly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.modelindex.records import Place
from tools.rules.bibtex import mistakes
from tools.rules.evidence import Evidence
from tools.rules.pages import Fence, Page
from tools.rules.records import Severity
from tools.rules.rule import Outcome, Rule

_LANGUAGES = frozenset({"bibtex", "bib", "biblatex"})
_EPRINT = re.compile(r"(?:eprint\s*=\s*[{\"]\s*|arxiv[:.](?:org/abs/)?\s*)([0-9]{4}\.[0-9]{4,5})", re.IGNORECASE)
_CITED = re.compile(
    r"\{\{\s*(?:citation|cite|bibliography)\b|^\s*@[a-z]+\s*\{|\bCITATION\.cff\b|\\bibliography",
    re.IGNORECASE | re.MULTILINE,
)


def bibtex_blocks(page: Page) -> Iterator[Fence]:
    """The fenced blocks that hold BibTeX, by their language or because they begin with an entry."""
    for fence in page.fences:
        if fence.info in _LANGUAGES or (not fence.info and page.text[fence.start : fence.end].lstrip()[:1] == "@"):
            yield fence


class BrokenBibtex(Rule):
    """BibTeX that does not parse."""

    code = "CIT001"
    title = "The BibTeX does not parse"
    why = "Whoever copies it gets an error from BibTeX, or an entry that lacks half of its fields."
    remedy = "The finding names what is missing: mostly a comma behind a field, or a closing brace."
    before = "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  title = {MixConv}\n  year = {2019}\n}\n```\n"
    after = "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  title = {MixConv},\n  year = {2019}\n}\n```\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Check every block of BibTeX on every page."""
        for page in evidence.pages:
            if "@" not in page.text:
                continue
            for block in bibtex_blocks(page):
                for mistake in mistakes(page.text, block.start, block.end):
                    yield self.finding(evidence.place(page.path, mistake.offset), f"BibTeX: {mistake.message}")


class ArxivContradiction(Rule):
    """A citation of another paper than the one that is linked."""

    code = "CIT002"
    title = "The arXiv id of the citation contradicts Paper"
    why = "Either the link or the citation is that of another paper; readers will cite the wrong one."
    remedy = "Check both ids at arXiv and correct the wrong one."
    before = (
        "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  eprint = {1905.11946}\n}\n```\n\n"
        "<!--\nType: model-index\nModels:\n- Name: mixnet_s\n  Paper: https://arxiv.org/abs/1907.09595\n-->\n"
    )
    after = before.replace("1905.11946", "1907.09595")

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Compare each paper with the ids in the page's BibTeX, where it has any."""
        cited: dict[str, frozenset[str]] = {}
        for subject in evidence.subjects:
            paper, page = subject.model.paper, evidence.page(subject.model.page)
            claim = subject.claim("paper")
            if paper is None or paper.arxiv_id is None or page is None or claim is None:
                continue
            if page.path not in cited:
                texts = (page.text[block.start : block.end] for block in bibtex_blocks(page))
                cited[page.path] = frozenset(found for text in texts for found in _EPRINT.findall(text))
            ids = cited[page.path]
            if ids and paper.arxiv_id not in ids:
                listed = " and ".join(sorted(ids))
                yield from self.breach(claim, f"Paper: arXiv {paper.arxiv_id}, but the page cites arXiv {listed}")


class NoCitation(Rule):
    """A card that does not say how to cite the work."""

    code = "CIT003"
    title = "A card without citation"
    severity = Severity.WARNING
    why = "Without an entry to copy, the authors are not cited, or each reader makes up an entry of his own."
    remedy = "Add the paper's BibTeX in a fenced block, or the macro that prints it from the references."
    before = "# MixNet\n\n<!--\nType: model-index\nModels:\n- Name: mixnet_s\n-->\n"
    after = (
        "# MixNet\n\n```bibtex\n@misc{tan2019mixconv,\n  title = {MixConv}\n}\n```\n\n"
        "<!--\nType: model-index\nModels:\n- Name: mixnet_s\n-->\n"
    )

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look at every page that is a model's card."""
        cards = dict.fromkeys(s.model.page for s in evidence.subjects if s.model.page is not None)
        for path in cards:
            page = evidence.page(path)
            if page is not None and not _CITED.search(page.text):
                yield self.finding(Place(page.path, 1, 1), "the card gives no citation")


CITATION_RULES = (BrokenBibtex(), ArxivContradiction(), NoCitation())
