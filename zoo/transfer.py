"""Bring the bytes behind a URL into a file: over HTTP, resumed and retried, or from a ``file://`` URL.

:mod:`zoo.hub` decides what may be trusted; here nothing is. ``requests`` (imported when it is first needed) does the
HTTP: redirects, TLS, and the proxies of the environment (``HTTPS_PROXY``, ``NO_PROXY`` …).
"""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there so far and the bytes expected, ``None`` while unknown."""

_CHUNK = 1 << 16
_RETRIED_STATUSES = (429, 500, 502, 503, 504)


class TransferError(Exception):
    """The bytes could not be had; the message says why."""


class _WrongSizeError(TransferError):
    """The file has, or would have, more bytes than it may, or another number than it must."""


class _BrokenOffError(TransferError):
    """The transfer broke off; it may be taken up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How patient a transfer is, and how much it may write."""

    timeout: float
    """Seconds without a sign of the server, when connecting or between two pieces of the body."""
    retries: int
    """How often a connection that fails, an answer of 429, 500, 502, 503 or 504, or a broken body is tried again."""
    backoff: float
    """Seconds that the waits between retries grow from, doubling each time; the first retry does not wait."""
    size: int | None
    """The size that the file must have, in bytes; ``None``: unknown."""
    max_bytes: int
    """No more than this is written where ``size`` is unknown."""
    resume_earlier: bool
    """Whether a partial file that an earlier process left may be continued: only where a hash will prove the whole."""

    @property
    def limit(self) -> int:
        """The most bytes that may be written."""
        return self.max_bytes if self.size is None else self.size


def transfer(source: str, partial: Path, options: Options, progress: Progress) -> None:
    """Bring what is behind ``source`` into the file ``partial``.

    A transfer that broke off leaves ``partial`` behind, for the next call to continue.

    Raises:
        TransferError: the source cannot be read, is larger than allowed, or ``partial`` cannot be written.
    """
    scheme = urlsplit(source).scheme.lower()
    try:
        if scheme == "file":
            _copy(source, partial, options, progress)
        elif scheme in ("http", "https"):
            _Download(source, partial, options, progress).run()
        else:
            raise TransferError(f"URLs of scheme {scheme!r} are not supported, only http, https and file")
    except _WrongSizeError:
        partial.unlink(missing_ok=True)  # Nothing worth continuing.
        raise
    except OSError as error:
        raise TransferError(f"{error.strerror or error}: {error.filename or partial}") from error
    except ValueError as error:  # a URL that cannot be parsed
        raise TransferError(f"{source!r} is not a usable URL: {error}") from error


def _copy(source: str, partial: Path, options: Options, progress: Progress) -> None:
    from urllib.request import url2pathname

    parts = urlsplit(source)
    if parts.netloc not in ("", "localhost"):
        raise TransferError(f"a file:// URL must name a file of this machine, not one of {parts.netloc}")
    path = Path(url2pathname(parts.path))
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise TransferError(f"{path} is not a regular file")
    _check_announced(found.st_size, options)
    done = 0
    with path.open("rb") as reader, partial.open("wb") as writer:
        while chunk := reader.read(_CHUNK):
            done += len(chunk)
            _check_bound(done, options)
            writer.write(chunk)
            progress(done, found.st_size)


class _Download:
    """One file on its way over HTTP."""

    def __init__(self, source: str, partial: Path, options: Options, progress: Progress) -> None:
        self.source = source
        self.partial = partial
        self.options = options
        self.progress = progress
        self.etag = ""
        """The strong validator of the version that the partial file holds a part of."""

    def run(self) -> None:
        """Download, and continue where the body breaks off."""
        with _session(self.options) as session:
            for attempt in count():
                try:
                    self._attempt(session)
                    break
                except _BrokenOffError:
                    if attempt >= self.options.retries:
                        raise
                if attempt > 0:
                    time.sleep(self.options.backoff * 2**attempt)

    def _attempt(self, session: requests.Session) -> None:
        import requests

        offset = self._offset()
        # Without "identity", a server may compress on the fly, and byte ranges would mean something else.
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            response = session.get(self.source, headers=headers, stream=True, timeout=self.options.timeout)
        except requests.RequestException as error:
            raise TransferError(_reason(error)) from error
        with response:
            if response.status_code == 416:  # Nothing comes after what is already here.
                return
            if not response.ok:
                raise TransferError(f"the server answered {_status(response.status_code)}")
            if response.status_code == 206:
                if not re.match(rf"bytes {offset}-", response.headers.get("Content-Range", "")):
                    self.partial.unlink(missing_ok=True)
                    raise _BrokenOffError(f"asked for the bytes from {offset} on, the server answered with others")
            else:
                offset = 0  # The whole file: the server knows no ranges, or the file has changed.
            self._receive(response, offset)

    def _offset(self) -> int:
        """How many bytes of the partial file may be kept."""
        trusted = self.options.resume_earlier or self.etag
        return self.partial.stat().st_size if trusted and self.partial.exists() else 0

    def _receive(self, response: requests.Response, offset: int) -> None:
        from urllib3.exceptions import HTTPError

        etag = response.headers.get("ETag", "")
        self.etag = "" if etag.startswith("W/") else etag
        length = response.headers.get("Content-Length", "")
        total = offset + int(length) if length.isdecimal() else self.options.size
        if total is not None:
            _check_announced(total, self.options)
        done = offset
        with self.partial.open("ab" if offset else "wb") as writer:
            self.progress(done, total)
            try:
                # The raw stream: a body that is marked as compressed is the published file all the same.
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    done += len(chunk)
                    _check_bound(done, self.options)
                    writer.write(chunk)
                    self.progress(done, total)
            except HTTPError as error:
                raise _BrokenOffError(f"{_reason(error)} after {done} of {total or 'unknown'} bytes") from error
        if total is not None and done < total:
            raise _BrokenOffError(f"the connection was closed after {done} of {total} bytes")


def _session(options: Options) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    retry = Retry(
        total=options.retries,
        connect=min(options.retries, 2),  # Who is offline should learn it soon.
        backoff_factor=options.backoff,
        status_forcelist=_RETRIED_STATUSES,
        raise_on_status=False,
        # A server could send a wait of days.
        respect_retry_after_header=False,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _check_announced(total: int, options: Options) -> None:
    """Refuse what cannot be right before a byte of it is written."""
    if options.size is not None and total != options.size:
        raise _WrongSizeError(f"it has {total} bytes, but {options.size} were expected")
    _check_bound(total, options)


def _check_bound(done: int, options: Options) -> None:
    if done > options.limit:
        raise _WrongSizeError(f"it is larger than the {options.limit} bytes expected at most")


def _status(code: int) -> str:
    """Return the status with its standard phrase; the server's own could hold anything."""
    from http.client import responses

    return f"{code} {responses.get(code, '')}".rstrip()


def _reason(error: BaseException) -> str:
    """Say in one printable line what lies beneath the nested exceptions of ``requests`` and ``urllib3``."""
    from urllib3.exceptions import IncompleteRead

    for cause in (getattr(error, "reason", None), *error.args):
        if isinstance(cause, BaseException):
            return _reason(cause)
    if isinstance(error, IncompleteRead):
        return "the connection broke off"
    text = " ".join(str(error).split())
    return "".join(character for character in text if character.isprintable()) or type(error).__name__
