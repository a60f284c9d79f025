"""What a URL tells by itself: its file, its host, and whether it can change under its reader."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from tools.weights.names import url_file_name

_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_BRANCHES = frozenset({"main", "master", "develop", "dev", "trunk", "head", "latest", "nightly", "default"})
_CODE_HOSTS = frozenset({"github.com", "raw.githubusercontent.com", "gitlab.com", "bitbucket.org", "huggingface.co"})


@lru_cache(maxsize=4096)
def split(url: str) -> SplitResult | None:
    """The parts of a URL; ``None`` for a text that is none."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme and (parts.netloc or parts.scheme == "file") else None


@lru_cache(maxsize=4096)
def file_name(url: str) -> str:
    """The file that a URL names; empty where it names none."""
    return url_file_name(url.strip()) if split(url) is not None else ""


def host(url: str) -> str:
    """The host in lower case, without ``www.``; empty for a text that is no URL."""
    parts = split(url)
    return (parts.hostname or "").removeprefix("www.") if parts is not None else ""


def revision(url: str) -> str | None:
    """The branch, tag or commit that a URL on a code host names; ``None`` where it names none.

    ``.../blob/<revision>/path``, ``.../resolve/<revision>/path``, ``.../-/raw/<revision>/path`` and the like.
    """
    parts = split(url)
    if parts is None:
        return None
    site = (parts.hostname or "").removeprefix("www.")
    if site not in _CODE_HOSTS:
        return None
    segments = [segment for segment in parts.path.split("/") if segment]
    if site == "raw.githubusercontent.com":
        if len(segments) > 3 and segments[2:4] == ["refs", "heads"] and len(segments) > 4:
            return segments[4]
        return segments[2] if len(segments) > 2 else None
    for position, segment in enumerate(segments[1:], start=1):
        if segment in {"blob", "tree", "raw", "resolve", "src", "blame", "edit"} and position + 1 < len(segments):
            rest = segments[position + 1 :]
            return rest[2] if rest[:2] == ["refs", "heads"] and len(rest) > 2 else rest[0]
    return None


def is_commit(name: str) -> bool:
    """Whether a revision is a commit's hash."""
    return _COMMIT.fullmatch(name) is not None


def is_branch(name: str) -> bool:
    """Whether a revision is a branch by its usual name, which moves."""
    return name.casefold() in _BRANCHES


def moves(url: str) -> str | None:
    """The part of a URL by which its content may change: a branch or ``latest``; ``None`` where nothing shows it."""
    named = revision(url)
    if named is not None:
        return named if is_branch(named) else None
    parts = split(url)
    segments = [] if parts is None else parts.path.casefold().split("/")
    return next((segment for segment in segments[:-1] if segment in {"latest", "nightly"}), None)
