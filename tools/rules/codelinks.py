"""LNK, continued: links into code: pinned to a commit, and to the line that defines the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import NamedTuple
from urllib.parse import unquote

from tools.modelindex.records import Index
from tools.rules.evidence import Subject
from tools.rules.records import Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, judged, replacement
from tools.rules.urls import host, is_branch, is_commit, revision, split

_LINE = re.compile(r"L([0-9]{1,7})(?:C[0-9]+)?(?:-L?[0-9]+(?:C[0-9]+)?)?")
_TAG = re.compile(r"v?[0-9]+(?:\.[0-9]+)+(?:[-.]?\w+)?")


class CodeLink(NamedTuple):
    """Where a Code link points inside its repository."""

    path: str
    line: int | None


def code_link(url: str) -> CodeLink | None:
    """The file and line that a link into a code host names; ``None`` where it names no file."""
    parts = split(url)
    named = revision(url)
    if parts is None or named is None:
        return None
    _, found, path = unquote(parts.path).partition(f"/{named}/")
    path = normpath(path) if found and path else ""
    if not path or path.startswith(("..", "/")) or path == ".":
        return None
    line = _LINE.fullmatch(parts.fragment)
    return CodeLink(path, int(line[1]) if line else None)


def source_paths(index: Index) -> tuple[str, ...]:
    """The files, relative to ``--source``, whose text :class:`WrongLine` needs in ``Context.source_files``."""
    found = (code_link(model.code.text) for model in index.models if model.code is not None)
    return tuple(dict.fromkeys(link.path for link in found if link is not None))


class UnpinnedCode(ModelRule):
    """A Code link that moves."""

    code = "LNK002"
    title = "The Code link is not pinned to a commit"
    severity = Severity.WARNING
    why = (
        "A link to a branch shows other code after the next commit: the line moves, the function is renamed, the file "
        "disappears. The page then cites code that its numbers were never computed with."
    )
    remedy = "Link the file at a commit (press `y` on GitHub) or a release tag, with the line of the definition."
    before = "- Name: mixnet_s\n  Code: https://github.com/owner/zoo/blob/main/models/mixnet.py#L12\n"
    after = (
        "- Name: mixnet_s\n"
        "  Code: https://github.com/owner/zoo/blob/9a25fdf3ad0414b4d66da443fe60ae0aa14edc84/models/mixnet.py#L12\n"
    )

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at the revision that the link names."""
        claim = subject.claim("code")
        if claim is None or host(claim.value.text) not in {"github.com", "gitlab.com", "raw.githubusercontent.com"}:
            return
        named = revision(claim.value.text)
        if named is None:
            yield self.remark(claim, "Code: the link names no commit")
        elif is_branch(named) or not (is_commit(named) or _TAG.fullmatch(named)):
            yield self.remark(claim, f"Code: the link follows {named}, not a commit")


class WrongLine(ModelRule):
    """A Code link whose line is not the model's definition."""

    code = "LNK003"
    title = "The Code link's line is not the model's definition"
    why = "The reader is sent to the wrong function, usually that of a neighbour, and believes it."
    remedy = (
        "Write the line on which the function or class of the model's name begins, at the commit of the link. Run with "
        "`--source DIR` on a checkout of that commit; `--fix` then corrects the line."
    )
    before = (
        "- Name: mixnet_s\n"
        "  Code: https://github.com/owner/zoo/blob/9a25fdf3ad0414b4d66da443fe60ae0aa14edc84/models/mixnet.py#L9\n"
    )
    after = (
        "- Name: mixnet_s\n"
        "  Code: https://github.com/owner/zoo/blob/9a25fdf3ad0414b4d66da443fe60ae0aa14edc84/models/mixnet.py#L2\n"
    )
    fixable = True
    needs = ("source",)
    proves = ("code",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look the line up in the source at hand."""
        claim, sources = subject.claim("code"), subject.evidence.context.source_files
        link = code_link(claim.value.text) if claim is not None else None
        if claim is None or link is None or sources is None:
            return
        text = sources.get(link.path)
        if text is None:
            yield from self.breach(claim, f"Code: {link.path} is not in the source")
            return
        names = {subject.name, subject.evidence.context.build_names.get(subject.name, subject.name)}
        lines = text.splitlines()
        right = _definition(lines, names)
        if link.line is None:
            yield judged(claim, Verdict.UNCHECKED, right, "the link names no line")
        elif _defines(lines, link.line, names):
            yield judged(claim, Verdict.VERIFIED, link.line, f"line {link.line} defines it")
        elif right is None:
            message = f"Code: line {link.line} of {link.path} does not define {subject.name}, nor does another"
            yield from self.breach(claim, message)
        else:
            message = f"Code: line {link.line} of {link.path} does not define {subject.name}; line {right} does"
            new = re.sub(r"#L[0-9].*", f"#L{right}", claim.value.text)
            yield from self.breach(claim, message, measured=right, fix=replacement(subject, claim.value, new))


def _identifiers(names: set[str]) -> set[str]:
    """How names may be written as a Python identifier: ``org/Mix-Net.in1k`` -> ``mix_net``."""
    return {re.sub(r"\W", "_", name.rpartition("/")[2].partition(".")[0]).casefold() for name in names}


def _definition(lines: list[str], names: set[str]) -> int | None:
    """The line on which a function or class of one of the names begins."""
    wanted = _identifiers(names)
    for number, line in enumerate(lines, start=1):
        match = _DEFINITION.match(line)
        if match and match[1].casefold() in wanted:
            return number
    return None


_DEFINITION = re.compile(r"\s*(?:async\s+)?(?:def|class)\s+(\w+)")


def _defines(lines: list[str], line: int, names: set[str]) -> bool:
    """Whether a definition of one of the names begins on a line, or on the decorators that begin there."""
    wanted = _identifiers(names)
    for text in lines[line - 1 : line + 9] if line else ():
        match = _DEFINITION.match(text)
        if match:
            return match[1].casefold() in wanted
        if not text.lstrip().startswith("@"):
            return any(f"{quote}{name}{quote}" in text for name in names for quote in "'\"")
    return False


CODE_LINK_RULES = (UnpinnedCode(), WrongLine())
