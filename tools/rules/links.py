"""LNK: links lead where they say, and will still do so next year."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from tools.modelindex.records import Edit, Index, Model, Scalar, TextFile
from tools.rules.claims import scalar
from tools.rules.codelinks import CODE_LINK_RULES, source_paths
from tools.rules.evidence import Evidence, Subject
from tools.rules.pages import Page
from tools.rules.quantity import grouped, parse
from tools.rules.records import Claim, Finding, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule, judged, replacement
from tools.rules.urls import host, split
from tools.weights.records import LinkStatus

__all__ = ["LINKS_RULES", "local_paths", "source_paths"]

DEAD_HOSTS: Mapping[str, str] = {
    "paperswithcode.com": "the site was shut down in July 2025",
    "gitorious.org": "the site was shut down in 2015",
}
"""Hosts that are gone for good, with what became of them."""

_DEAD_URL = re.compile(
    r"https?://(?:[\w-]+\.)*(?:" + "|".join(re.escape(name) for name in DEAD_HOSTS) + r")(?![\w.-])[^\s)<>\"'\]}|]*"
)
_LINKED_FILES = frozenset(
    {"bib", "cff", "cfg", "csv", "gif", "ipynb", "jpeg", "jpg", "json", "md", "mdx", "pdf", "png", "py", "svg"}
    | {"toml", "txt", "webp", "yaml", "yml"}
)
_URL_FIELDS = ("code", "weights", "paper", "config")


def local_paths(index: Index) -> tuple[str, ...]:
    """The files that cards and pages name, relative to the root; ``Context.missing_files`` tells which do not exist."""
    found = [path for model in index.models for _, path in _local_fields(model)]
    for file in index.files.values():
        found.extend(path for _, path in _page_targets(file))
    return tuple(dict.fromkeys(found))


def _local_fields(model: Model) -> Iterator[tuple[Scalar, str]]:
    """Config, Image and Code fields that name a file, with its path relative to the root."""
    values = [model.config, model.code, scalar(model.fields.get("image"))]
    for value in values:
        if value is not None and _is_local(value.text):
            path = _resolved(value.place.path, value.text)
            if path:
                yield value, path


def _page_targets(file: TextFile) -> Iterator[tuple[int, str]]:
    """Links of a page to files, by offset, with the path relative to the root."""
    if file.kind != "card" or "](" not in file.text:
        return
    for target, offset in Page(file.path, file.text).local_links():
        path = _resolved(file.path, target) if _is_local(target) else ""
        if path:
            yield offset, path


def _is_local(text: str) -> bool:
    """Whether a text is the path of a file: no URL, no prose, and an ending of a kind that is linked."""
    path = text.partition("#")[0].partition("?")[0]
    stem, dot, ending = path.rpartition(".")
    return bool(stem and dot) and "://" not in text and " " not in path and ending.casefold() in _LINKED_FILES


def _resolved(origin: str, target: str) -> str:
    """A path relative to the root; empty where it would leave the root."""
    path = normpath(join(dirname(origin), unquote(target.partition("#")[0].partition("?")[0])))
    return "" if path.startswith(("..", "/")) else path


class DeadHost(Rule):
    """A link to a host that is gone."""

    code = "LNK001"
    title = "A link to a site that no longer exists"
    why = (
        "The link leads nowhere, or to whoever bought the domain. Papers with Code, to which thousands of model pages "
        "link, was shut down in July 2025."
    )
    remedy = (
        "Link the primary source: for a paper its arXiv page or publisher. `--fix` replaces a paper's link where the "
        "page itself states a single arXiv id; other links have no certain replacement and are yours to choose."
    )
    before = (
        "# MixNet\n\nFrom arXiv:1907.09595.\n\n<!--\nType: model-index\nModels:\n- Name: mixnet_s\n"
        "  Paper: https://paperswithcode.com/paper/mixnet-mixed-depthwise-convolutional-kernels\n-->\n"
    )
    after = (
        "# MixNet\n\nFrom arXiv:1907.09595.\n\n<!--\nType: model-index\nModels:\n- Name: mixnet_s\n"
        "  Paper: https://arxiv.org/abs/1907.09595\n-->\n"
    )
    fixable = True

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Judge the claims, then look for the hosts anywhere in the files' text."""
        claimed: defaultdict[str, set[int]] = defaultdict(set)
        for subject in evidence.subjects:
            for claim in subject.claims:
                if _DEAD_URL.match(claim.value.text.strip()):
                    claimed[claim.place.path].add(claim.value.start)
                    yield from self._judge(subject, claim)
        for path, file in evidence.index.files.items():
            if any(name in file.text for name in DEAD_HOSTS):
                yield from self._search(file, path, claimed[path], evidence)

    def _judge(self, subject: Subject, claim: Claim) -> Iterator[Outcome]:
        url = claim.value.text.strip()
        new = _new_url(url, subject.evidence, subject.model.page or claim.place.path)
        fix = replacement(subject, claim.value, new) if new else ()
        yield from self.breach(claim, f"{claim.field}: {self._message(url, new)}", measured=new or None, fix=fix)

    def _search(self, file: TextFile, path: str, claimed: set[int], evidence: Evidence) -> Iterator[Outcome]:
        for match in _DEAD_URL.finditer(file.text):
            start = match.start()
            if start in claimed or start - 1 in claimed:
                continue
            url = match.group().rstrip(".,;:")
            new = _new_url(url, evidence, path)
            fix = (Edit(path, start, start + len(url), url, new),) if new else ()
            place = evidence.place(path, start)
            yield self.finding(place, self._message(url, new), claimed=url, measured=new or None, fix=fix)

    def _message(self, url: str, new: str) -> str:
        name = host(url)
        fate = next((fate for dead, fate in DEAD_HOSTS.items() if name == dead or name.endswith(f".{dead}")), "")
        offer = f"; use {new}" if new else ""
        return f"{name} is gone: {fate}{offer}"


def _new_url(url: str, evidence: Evidence, page: str) -> str:
    """The arXiv page in place of a dead link to a paper; empty where the page does not state a single id."""
    parts, file = split(url), evidence.page(page)
    if parts is None or file is None or not parts.path.startswith("/paper/"):
        return ""
    ids = file.arxiv_ids
    return f"https://arxiv.org/abs/{ids[0]}" if len(ids) == 1 else ""


class MissingFile(Rule):
    """A link to a local file that does not exist."""

    code = "LNK004"
    title = "A linked file does not exist"
    why = "The link or picture is broken for every reader of the page."
    remedy = "Correct the path, which is relative to the file in which it stands, or add the file."
    before = "# MixNet\n\n![The architecture](architecture.png)\n"
    after = "# MixNet\n\n![The architecture](mixnet.png)\n"
    needs = ("files",)

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look at the fields of the models, then at the links of the pages."""
        missing = evidence.context.missing_files
        if not missing:
            return
        for subject in evidence.subjects:
            for value, path in _local_fields(subject.model):
                if path in missing:
                    yield self._missing(value, path, subject)
        for file in evidence.index.files.values():
            for offset, path in _page_targets(file):
                if path in missing:
                    yield self.finding(evidence.place(file.path, offset), f"{path} does not exist", claimed=path)

    def _missing(self, value: Scalar, path: str, subject: Subject) -> Finding:
        return self.finding(value.place, f"{path} does not exist", model=subject.name, claimed=value.text)


class DeadLink(ModelRule):
    """A URL that the server says is gone."""

    code = "LNK005"
    title = "The server says that the page is gone"
    why = "The reader gets an error page where the paper, the code or the weights should be."
    remedy = (
        "Find the new address. Only the answers 404 and 410 count as gone, with `--online`: a server that is slow, "
        "wants a login or refuses robots proves nothing."
    )
    before = "- Name: mixnet_s\n  Paper: https://example.org/gone.pdf\n"
    after = "- Name: mixnet_s\n  Paper: https://example.org/paper.pdf\n"
    needs = ("links",)
    proves = ("paper", "code", "config")

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look up what the servers said."""
        for key in _URL_FIELDS:
            for claim in subject.by_field.get(key, ()):
                status = _status(subject, claim.value.text)
                if status is None:
                    continue
                if status.status in {404, 410}:
                    yield from self.breach(claim, f"{claim.field}: the server answers {status.status}, it is gone")
                elif key != "weights":
                    answer = f"the server answers {status.status}" if status.status else "the server did not answer"
                    alive = status.status is not None and status.status < 400
                    yield judged(claim, Verdict.CONSISTENT if alive else Verdict.UNCHECKED, None, answer)


def _status(subject: Subject, url: str) -> LinkStatus | None:
    links = subject.evidence.context.links or {}
    return links.get(url) or links.get(url.strip().partition("#")[0])


class RemoteSizeMismatch(ModelRule):
    """The File Size against what the server says of the file."""

    code = "LNK006"
    title = "File Size differs from what the server says"
    why = "The server offers another file than the page describes: exchanged, cut short, or never the right one."
    remedy = "Write the size that the server gives, once you have checked that its file is the one you mean."
    before = (
        "- Name: mixnet_s\n  Weights: https://example.org/mixnet_s-a907afbc.pth\n  Metadata:\n    File Size: 16727983\n"
    )
    after = (
        "- Name: mixnet_s\n  Weights: https://example.org/mixnet_s-a907afbc.pth\n  Metadata:\n    File Size: 16727982\n"
    )
    needs = ("links",)
    proves = ("file size",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare at the claimed precision."""
        weights, claim = subject.claim("weights"), subject.claim("file size")
        quantity = parse(claim.value.text, "bytes") if claim is not None else None
        status = _status(subject, weights.value.text) if weights is not None else None
        if claim is None or quantity is None or status is None or status.content_length is None or status.status != 200:
            return
        length = status.content_length
        if quantity.agrees(length):
            yield judged(claim, Verdict.VERIFIED, length, "the server states it")
        else:
            message = f"File Size: {claim.value.text} claimed, the server states {grouped(length)} bytes"
            yield from self.breach(claim, message, measured=length)


LINKS_RULES = (
    DeadHost(),
    *CODE_LINK_RULES,
    MissingFile(),
    DeadLink(),
    RemoteSizeMismatch(),
)
