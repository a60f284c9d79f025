"""The built site, served on loopback, and a browser: each once a session."""

from __future__ import annotations

import functools
import gzip
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.project import ROOT, mkdocs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Nothing that makes the browser itself talk to anybody.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Site:
    """A folder of pages and the address at which they are served."""

    folder: Path
    url: str

    def pages(self) -> list[str]:
        """Every page's path below the address."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))
        return sorted(path.removesuffix("index.html") for path in found)


@dataclass
class Seen:
    """What went wrong in a page, as far as a browser tells."""

    errors: list[str] = field(default_factory=list)
    """Console errors, exceptions, failed requests."""
    strangers: list[str] = field(default_factory=list)
    """Requests that left the site."""

    def watch(self, page: Page, site: Site) -> None:
        """Listen to a page."""
        page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("request", lambda r: None if _ours(r.url, site) else self.strangers.append(r.url))


def _ours(url: str, site: Site) -> bool:
    return url.startswith((site.url, "data:", "blob:"))


class Host(SimpleHTTPRequestHandler):
    """Compresses text, as the hosts of static sites do."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        try:
            content = path.read_bytes()
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *_: object) -> None:
        """Nothing: the tests' output is theirs."""


def serve(folder: Path) -> Iterator[Site]:
    """Serve a folder on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(folder, f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = mkdocs(ROOT, "build", "-d", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def site(built_site: Path) -> Iterator[Site]:
    yield from serve(built_site)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get("ZOO_AUDIT_REQUIRE_BROWSER"):
            pytest.fail(f"none of {', '.join(names)} is installed")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page at desktop size, with the clipboard allowed."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    yield context.new_page()
    context.close()
