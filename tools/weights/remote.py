"""Ask servers about URLs without downloading: is it there, how large is it, and what does a safetensors header say.

Each URL is asked once, with HEAD, two at a time on one host and with a pause between. A server that knows no HEAD is
asked for one byte. Of ``.safetensors`` files the header is fetched by a range request, so shapes and parameters are
proved from a few kilobytes.

URLs come from metadata, which may be hostile: only ``http`` and ``https`` are asked, a redirect never leads from a
public host to an address of this machine or its network, passwords kept in ``.netrc`` are not sent, and the time and
the bytes that one URL may take are bounded whatever the server does.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from tools import __version__
from tools.measure.records import TensorEntry
from tools.weights.contents import BadFileError
from tools.weights.opcodes import shorten
from tools.weights.records import LinkStatus
from tools.weights.safetensors import header_length, parse_header

if TYPE_CHECKING:
    import requests

DEAD = frozenset({404, 410})
"""The statuses that mean that a link is dead. Any other failure may be the server's mood or the network's."""

USER_AGENT = f"zoo-audit/{__version__} (link check)"

_PER_HOST = 2
_MAX_REDIRECTS = 8
_NO_HEAD = frozenset({400, 403, 405, 501})
_BUSY = (429, 500, 502, 503, 504)
_FIRST_READ = 64 * 1024
"""Bytes of a safetensors file that are asked for first: the whole header of a few hundred tensors."""


@dataclass(frozen=True, slots=True)
class Options:
    """How servers are asked."""

    timeout: float = 10.0
    """Seconds to connect, and between two packets; a URL takes at most six times as long in all."""
    retries: int = 2
    """How often a busy server or a broken connection is tried again."""
    backoff: float = 0.5
    """Seconds before the second retry, doubled each time."""
    pause: float = 0.1
    """Seconds between two URLs of one host."""
    jobs: int = 8
    """URLs that are asked for at once, over all hosts."""
    user_agent: str = USER_AGENT
    mirrors: tuple[tuple[str, str], ...] = ()
    """(beginning of a URL, what replaces it); only what a server answers for is replaced, not ``file://``."""


def check_links(urls: Iterable[str], options: Options | None = None) -> dict[str, LinkStatus]:
    """What servers answer, for each URL as it was given.

    URLs that differ in their fragment alone are asked for once. Never raises for what a URL or a server does:
    ``status`` is ``None`` and ``error`` says why where there was no answer.
    """
    options = options or Options()
    wanted: dict[str, list[str]] = {}
    for url in dict.fromkeys(urls):
        wanted.setdefault(urldefrag(url.strip()).url if "#" in url else url.strip(), []).append(url)
    queues = _queues(wanted)
    answers: dict[str, LinkStatus] = {}
    if queues:
        with ThreadPoolExecutor(max_workers=max(1, min(options.jobs, len(queues)))) as pool:
            for statuses in pool.map(lambda queue: _ask_all(queue, options), queues):
                answers |= {status.url: status for status in statuses}
    return {url: replace(answers[asked], url=url) for asked, originals in wanted.items() for url in originals}


def _queues(urls: Iterable[str]) -> list[list[str]]:
    """The URLs host by host, each host's in as many queues as it is asked from at once."""
    by_host: defaultdict[str, list[str]] = defaultdict(list)
    for url in urls:
        by_host[_host(url)].append(url)
    return [queue for host in by_host.values() for start in range(_PER_HOST) if (queue := host[start::_PER_HOST])]


def _ask_all(urls: Sequence[str], options: Options) -> list[LinkStatus]:
    statuses = []
    with _session(options) as session:
        for number, url in enumerate(urls):
            if number:
                time.sleep(options.pause)
            statuses.append(_ask(session, url, options))
    return statuses


def _session(options: Options) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    session.headers.update({"User-Agent": options.user_agent, "Accept-Encoding": "identity", "Accept": "*/*"})
    session.auth = lambda request: request  # otherwise requests looks into .netrc
    retry = Retry(
        total=options.retries,
        connect=min(options.retries, 1),  # who is offline should learn it soon
        backoff_factor=options.backoff,
        status_forcelist=_BUSY,
        allowed_methods=("GET", "HEAD"),
        respect_retry_after_header=False,  # it may ask for hours
        raise_on_status=False,
        redirect=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _ask(session: requests.Session, url: str, options: Options) -> LinkStatus:
    import requests
    import urllib3

    asked = _mirrored(url, options.mirrors)
    status = LinkStatus(url=url, status=None)
    if _scheme(asked) not in ("http", "https"):
        return replace(status, error="not a http or https URL")
    try:
        deadline = time.monotonic() + 6 * options.timeout
        with _follow(session, "HEAD", asked, options, {}) as answer:
            code, length, final = answer.status_code, _length(answer), answer.url
        if code in _NO_HEAD:
            with _follow(session, "GET", asked, options, {"Range": "bytes=0-0"}) as answer:
                code, length, final = (
                    (200 if answer.status_code == 206 else answer.status_code),
                    _length(answer),
                    answer.url,
                )
        status = replace(status, status=code, content_length=length if code == 200 else None)
        if code == 200 and urlsplit(asked).path.endswith(".safetensors"):
            length, entries = _safetensors(session, final, options, deadline)
            status = replace(status, content_length=length, entries=entries)
    except BadFileError as error:
        return replace(status, error=f"safetensors: {error}")
    except _RefusedError as error:
        return replace(status, error=str(error))
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        return replace(status, error=_reason(error, options))
    return status


class _RefusedError(Exception):
    """Somewhere that is not gone to."""


def _follow(
    session: requests.Session, method: str, url: str, options: Options, headers: dict[str, str]
) -> requests.Response:
    """The answer after redirects, its body not read yet."""
    public = not _is_local(_host(url))
    for _ in range(_MAX_REDIRECTS + 1):
        answer = session.request(
            method, url, headers=headers, timeout=options.timeout, allow_redirects=False, stream=True
        )
        if not answer.is_redirect:
            return answer
        answer.close()
        url = urljoin(url, answer.headers["Location"])
        if _scheme(url) not in ("http", "https"):
            raise _RefusedError(f"it redirects to something that is no web address: {shorten(url)}")
        if public and _is_local(_host(url)):
            raise _RefusedError(f"it redirects from a public host to a local address: {shorten(url)}")
    raise _RefusedError(f"more than {_MAX_REDIRECTS} redirects")


def _safetensors(
    session: requests.Session, url: str, options: Options, deadline: float
) -> tuple[int, tuple[TensorEntry, ...]]:
    """The file's size and the tensors of its header."""
    data, size = _read_range(session, url, 0, _FIRST_READ, options, deadline)
    length = header_length(data, size)
    if len(data) < 8 + length:
        more, _ = _read_range(session, url, len(data), 8 + length, options, deadline)
        data += more
    if len(data) < 8 + length:
        raise BadFileError("the server gave less than the header")
    return size, tuple(tensor.entry for tensor in parse_header(data[8 : 8 + length], size))


def _read_range(
    session: requests.Session, url: str, start: int, end: int, options: Options, deadline: float
) -> tuple[bytes, int]:
    """The bytes from ``start`` up to ``end`` (or to the end of the file), and the whole file's size."""
    with _follow(session, "GET", url, options, {"Range": f"bytes={start}-{end - 1}"}) as answer:
        size = _length(answer)
        if answer.status_code not in (200, 206) or size is None:
            raise BadFileError(f"the header cannot be read: the server answers {answer.status_code} without a size")
        skip = start if answer.status_code == 200 else 0  # it sends the whole file, whatever was asked
        wanted = skip + end - start
        data = bytearray()
        for chunk in answer.iter_content(64 * 1024):
            data += chunk
            if len(data) >= wanted:
                break
            if time.monotonic() > deadline:
                raise BadFileError("the header takes too long to read")
        return bytes(data[skip:wanted]), size


def _length(answer: requests.Response) -> int | None:
    """The whole file's size in bytes, where the answer tells it."""
    total = re.fullmatch(r"bytes [\d*-]+/(\d{1,19})", answer.headers.get("Content-Range", ""))
    if total:
        return int(total[1])
    stated = answer.headers.get("Content-Length", "")
    if answer.headers.get("Content-Encoding", "identity") != "identity" or not re.fullmatch(r"\d{1,19}", stated):
        return None
    return int(stated)


def _mirrored(url: str, mirrors: Iterable[tuple[str, str]]) -> str:
    fitting = (by + url[len(prefix) :] for prefix, by in mirrors if url.startswith(prefix) and by.startswith("http"))
    return next(fitting, url)


def _scheme(url: str) -> str:
    """The scheme in lower case; empty for a text that is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.scheme if parts.netloc else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_local(host: str) -> bool:
    """Whether a host is, by its name alone, this machine or a private network."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _reason(error: BaseException, options: Options) -> str:
    """What went wrong in a few words: requests and urllib3 wrap the system's word several times."""
    from urllib3.exceptions import NewConnectionError
    from urllib3.exceptions import TimeoutError as NoAnswer

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, NoAnswer) and not isinstance(cause, NewConnectionError):  # a kind of it, by history
            return f"no answer within {options.timeout:g} s"
        if isinstance(cause, OSError) and cause.strerror:
            return f"cannot be reached: {cause.strerror}"
        nested = [getattr(cause, "reason", None), *cause.args]
        cause = next((item for item in nested if isinstance(item, BaseException)), cause.__cause__ or cause.__context__)
    return f"cannot be reached: {shorten(str(error))}"
