"""``mkdocs serve``, as somebody who writes a card sees it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.site.project import FACTORY, card, environment, make

WRONG = "- Name: tiny\n  Metadata:\n    Parameters: 163"
PATIENCE = 60.0
T = TypeVar("T")


class Server:
    """A running ``mkdocs serve`` on a port of its own choice, with what it printed."""

    def __init__(self, project: Path, log: Path) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{_free_port()}"],
                cwd=project,
                env=environment(),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.url = self.wait(lambda: re.search(r"Serving on (http://\S+)", self.printed())).group(1)

    def printed(self) -> str:
        return self.log.read_text("utf-8")

    def page(self) -> str:
        try:
            with urlopen(self.url, timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except URLError:
            return ""

    def wait(self, found: Callable[[], T | None]) -> T:
        """Ask until there is an answer; fail with the log when there is none."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if (answer := found()) is not None and answer is not False:
                return answer
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"nothing came:\n{self.printed()}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make(tmp_path_factory.mktemp("served"), {"index.md": card(WRONG)})
    config = project / "mkdocs.yml"
    config.write_text(config.read_text() + "watch: [madeup.py]\n")
    return project


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Server]:
    server = Server(project, project.parent / "serve.log")
    yield server
    server.process.terminate()
    server.process.wait(20)


def test_a_wrong_claim_is_shown_with_its_reason(server: Server) -> None:
    html = server.page()
    assert 'class="za-mark za-mismatch"' in html
    assert "claimed 163, measured 162" in html
    assert "docs/index.md:10:17 PAR001" in server.printed()


def test_a_changed_card_is_shown(server: Server, project: Path) -> None:
    (project / "docs/index.md").write_text(card(WRONG.replace("163", "162")))
    server.wait(lambda: "claimed 162, measured 162" in server.page())


def test_a_typo_is_told_and_shown_and_can_be_mended(server: Server, project: Path) -> None:
    good = card(WRONG.replace("163", "162"))
    (project / "docs/index.md").write_text(good.replace("summary_table", "summary_tabel"))
    server.wait(lambda: "summary_tabel" in server.page())
    assert "summary_tabel" in server.printed()
    (project / "docs/index.md").write_text(good.replace("A card", "A mended card"))
    server.wait(lambda: "A mended card" in server.page())


def test_a_changed_zoo_is_measured_again(server: Server, project: Path) -> None:
    (project / "madeup.py").write_text(FACTORY.replace("nn.Linear(4, 10)", "nn.Linear(4, 9)"))
    server.wait(lambda: "measured 157" in server.page())
    assert server.process.poll() is None
    assert "measuring tiny" in server.printed()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
