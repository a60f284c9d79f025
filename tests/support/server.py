"""A web server on loopback that misbehaves on request.

>>> with LoopbackServer() as server:
...     url = server.serve("/mixnet_s.pth", b"...", Status(500), Truncate(after=2))

Each path holds bytes and a script of steps. Every request, GET or HEAD, takes the next step of the script; once the
script is used up, the bytes are served properly, with byte ranges and an ``ETag``. ``server.requests`` logs what came
in. A path that nothing was put at answers 404. The server listens on 127.0.0.1 alone, on a port that the system picks.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Status:
    """Answers with this status and an empty body."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Redirect:
    """Answers 302 to ``location`` (a path of this server or a whole URL)."""

    location: str


@dataclass(frozen=True)
class Truncate:
    """Promises everything that was asked for and closes the connection ``after`` this many bytes."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Sends ``after`` bytes, then nothing until ``seconds`` have passed or the server is stopped.

    The headers are sent first, unless ``after`` is negative: then not a byte is answered.
    """

    after: int = 0
    seconds: float = 30.0


@dataclass(frozen=True)
class Delay:
    """Waits ``seconds`` (or until the server is stopped), then serves properly."""

    seconds: float


@dataclass(frozen=True)
class Body:
    """Answers 200 with other bytes than the path's own, whatever range was asked for."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Status | Redirect | Truncate | Stall | Delay | Body


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def range(self) -> str | None:
        """The ``Range`` header, such as ``bytes=100-``."""
        return self.headers.get("range")


@dataclass
class _Page:
    content: bytes
    steps: deque[Step]
    forever: Step | None
    ranges: bool
    sized: bool


class LoopbackServer:
    """The server; a context manager. See the module's description."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._pages: dict[str, _Page] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """The server's root without a slash at the end: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def serve(
        self,
        path: str,
        content: bytes = b"",
        *steps: Step,
        forever: Step | None = None,
        ranges: bool = True,
        sized: bool = True,
    ) -> str:
        """Put ``content`` at ``path`` and return its URL.

        ``steps`` are taken one a request; after them, ``forever`` answers every request where it is given.
        ``ranges=False`` makes a server that knows no byte ranges, ``sized=False`` one that sends no Content-Length.
        """
        self._pages[path] = _Page(content, deque(steps), forever, ranges, sized)
        return self.url + path

    def requests_for(self, path: str, method: str = "GET") -> list[Request]:
        """The requests that came in for one path, in their order."""
        return [request for request in self.requests if request.path == path and request.method == method]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _next(self, request: Request) -> tuple[_Page | None, Step | None]:
        with self._lock:
            self.requests.append(request)
            page = self._pages.get(request.path)
            if page is None:
                return None, None
            return page, page.steps.popleft() if page.steps else page.forever


class _HTTPServer(ThreadingHTTPServer):
    owner: LoopbackServer
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what these tests are about: keep quiet."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def log_message(self, *args: object) -> None:
        """Requests are logged in ``LoopbackServer.requests`` instead."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        page, step = self.server.owner._next(Request(self.command, self.path, headers))
        if page is None:
            self._head(404, {"Content-Length": "0"})
        elif isinstance(step, Status):
            self._head(step.code, {"Content-Length": "0", **step.headers})
        elif isinstance(step, Redirect):
            self._head(302, {"Content-Length": "0", "Location": step.location})
        elif isinstance(step, Body):
            self._head(200, {"Content-Length": str(len(step.content)), **step.headers})
            self._send(step.content, len(step.content), None)
        elif isinstance(step, Stall) and step.after < 0:
            self._send(b"", 0, step)
        else:
            if isinstance(step, Delay):
                self.server.owner._stopping.wait(step.seconds)
                step = None
            self._content(page, step, headers)

    def _content(self, page: _Page, step: Truncate | Stall | None, headers: Mapping[str, str]) -> None:
        content, status = page.content, 200
        answer = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"'}
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", "")) if page.ranges else None
        if "if-range" in headers and headers["if-range"] != answer["ETag"]:
            span = None
        if page.ranges:
            answer["Accept-Ranges"] = "bytes"
        if span is not None and span.group() != "bytes=-":
            total = len(content)
            first = int(span[1]) if span[1] else max(0, total - int(span[2]))
            last = min(int(span[2]), total - 1) if span[1] and span[2] else total - 1
            if first > last:
                self._head(416, {"Content-Range": f"bytes */{total}", "Content-Length": "0"})
                return
            status, content = 206, content[first : last + 1]
            answer["Content-Range"] = f"bytes {first}-{last}/{total}"
        if page.sized:
            answer["Content-Length"] = str(len(content))
        else:
            answer["Connection"] = "close"
        self._head(status, answer)
        self._send(content, len(content) if step is None else step.after, step)

    def _send(self, content: bytes, after: int, step: Truncate | Stall | None) -> None:
        if self.command != "HEAD":
            self.wfile.write(content[:after])
            self.wfile.flush()
        if step is not None:
            if isinstance(step, Stall):
                self.server.owner._stopping.wait(step.seconds)
            self.close_connection = True

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
