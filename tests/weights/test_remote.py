"""Links are asked about on a server of our own that misbehaves on request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from tests.support.server import Body, LoopbackServer, Redirect, Stall, Status
from tests.weights.files import entries_of, small_model
from tools.weights.records import LinkStatus
from tools.weights.remote import Options, check_links

QUICK = Options(timeout=2.0, backoff=0.0, pause=0.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with LoopbackServer() as running:
        yield running


def ask(url: str, options: Options = QUICK) -> LinkStatus:
    [status] = check_links([url], options).values()
    assert status.url == url
    return status


def test_a_file_that_is_there_is_not_downloaded(server: LoopbackServer) -> None:
    url = server.serve("/model.pth", bytes(1000))
    assert ask(url) == LinkStatus(url, 200, 1000)
    [request] = server.requests
    assert request.method == "HEAD"
    assert request.headers["user-agent"].startswith("zoo-audit/")


def test_each_url_is_asked_once_whatever_its_fragment(server: LoopbackServer) -> None:
    url = server.serve("/code.py", b"x")
    urls = [f"{url}#L10", f"{url}#L20", url, url]
    assert {asked: status.status for asked, status in check_links(urls, QUICK).items()} == dict.fromkeys(urls, 200)
    assert [request.path for request in server.requests] == ["/code.py"]


@pytest.mark.parametrize("code", [404, 410, 401, 451])
def test_a_refusal_is_told_as_it_is(code: int, server: LoopbackServer) -> None:
    assert ask(server.serve("/gone", forever=Status(code))).status == code
    assert len(server.requests) == 1


def test_a_server_without_head_is_asked_for_one_byte(server: LoopbackServer) -> None:
    for code in (403, 405, 501):
        url = server.serve(f"/{code}.pth", bytes(5000), Status(code))
        assert ask(url) == LinkStatus(url, 200, 5000)
    url = server.serve("/whole.pth", bytes(5000), Status(405), ranges=False)
    assert ask(url) == LinkStatus(url, 200, 5000)
    ranges = [request.range for request in server.requests if request.method == "GET"]
    assert ranges == ["bytes=0-0"] * 4


def test_a_busy_server_is_tried_again(server: LoopbackServer) -> None:
    assert ask(server.serve("/a", b"x", Status(500), Status(429, {"Retry-After": "3600"}))).status == 200
    assert ask(server.serve("/b", b"x", forever=Status(503))) == LinkStatus(server.url + "/b", 503)
    assert len(server.requests_for("/b", "HEAD")) == 1 + QUICK.retries


def test_redirects_are_followed_within_reason(server: LoopbackServer) -> None:
    server.serve("/file.pth", bytes(7))
    assert ask(server.serve("/latest", b"", Redirect("/file.pth"))).content_length == 7
    assert ask(server.serve("/round", b"", forever=Redirect("/round"))).error == "more than 8 redirects"
    away = ask(server.serve("/away", b"", Redirect("file:///etc/passwd")))
    assert (away.status, away.error) == (None, "it redirects to something that is no web address: file:///etc/passwd")


def test_a_public_host_cannot_send_the_audit_into_the_local_network(server: LoopbackServer) -> None:
    # The proxy stands for the internet: it answers for any host.
    server.serve("http://models.example.org/a.pth", b"", forever=Redirect("http://169.254.169.254/latest/meta-data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("http_proxy", server.url)
        status = ask("http://models.example.org/a.pth")
    assert status.status is None
    assert status.error == "it redirects from a public host to a local address: http://169.254.169.254/latest/meta-data"
    assert len(server.requests) == 1


def test_without_an_answer_there_is_no_status(server: LoopbackServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = ask(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (closed.status, closed.error) == (None, "cannot be reached: Connection refused")
    options = Options(timeout=0.2, retries=0, pause=0.0)
    stalled = ask(server.serve("/stall", b"x", forever=Stall(after=-1)), options)
    assert (stalled.status, stalled.error) == (None, "no answer within 0.2 s")


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a", "file:///etc/passwd", "javascript:alert(1)", "http://", "http://[::1", "a/b.pth", ""]
)
def test_only_the_web_is_asked(url: str) -> None:
    assert ask(url) == LinkStatus(url, None, error="not a http or https URL")


@pytest.mark.parametrize("url", [f"http://{'a' * 70}.example/", "http://exa mple.org/", "http://127.0.0.1:99999/"])
def test_urls_that_no_server_can_have(url: str) -> None:
    status = ask(url, Options(timeout=0.5, retries=0))
    assert status.status is None
    assert status.error


def test_a_safetensors_header_is_read_by_range(server: LoopbackServer) -> None:
    state_dict = {**small_model().state_dict(), "big.weight": torch.zeros(1000, 1000)}
    content = save(state_dict)
    status = ask(server.serve("/model.safetensors?download=true", content))
    assert status.error == ""
    assert status.content_length == len(content) > 4_000_000
    assert sorted(status.entries or (), key=lambda e: e.key) == sorted(entries_of(state_dict), key=lambda e: e.key)
    assert [request.range for request in server.requests] == [None, "bytes=0-65535"]


def test_a_long_header_takes_a_second_range(server: LoopbackServer) -> None:
    state_dict = {f"layers.{number}.weight": torch.zeros(1) for number in range(2000)}
    content = save(state_dict)
    header = 8 + int.from_bytes(content[:8], "little")
    status = ask(server.serve("/model.safetensors", content, ranges=True))
    assert len(status.entries or ()) == 2000
    assert [request.range for request in server.requests][1:] == ["bytes=0-65535", f"bytes=65536-{header - 1}"]
    # A server that knows no ranges sends everything; no more than the header is taken.
    assert ask(server.serve("/whole.safetensors", content, ranges=False)).entries == status.entries


def test_a_safetensors_header_that_lies(server: LoopbackServer) -> None:
    lies = (2**50).to_bytes(8, "little") + b"{}"
    status = ask(server.serve("/model.safetensors", lies))
    assert (status.status, status.entries) == (200, None)
    assert status.error.startswith("safetensors: the header claims 1125899906842624 bytes")
    page = ask(server.serve("/page.safetensors", forever=Body(b"<html>" + bytes(100))))
    assert page.error.startswith("safetensors: ")


def test_mirrors_are_asked_in_place_of_the_host(server: LoopbackServer) -> None:
    server.serve("/mirror/model.pth", bytes(9))
    mirrors = (("https://example.org/weights/", f"{server.url}/mirror/"),)
    status = ask("https://example.org/weights/model.pth", Options(mirrors=mirrors, pause=0.0))
    assert status.content_length == 9


def test_passwords_in_netrc_stay_at_home(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    ask(server.serve("/model.pth", b"x"))
    assert "authorization" not in server.requests[0].headers


def test_many_urls_of_many_kinds_at_once(server: LoopbackServer) -> None:
    urls = [server.serve(f"/{number}.pth", bytes(number), forever=None) for number in range(1, 30)]
    statuses = check_links([*urls, server.url + "/missing"], QUICK)
    assert [statuses[url].content_length for url in urls] == list(range(1, 30))
    assert statuses[server.url + "/missing"].status == 404
    assert check_links([]) == {}
