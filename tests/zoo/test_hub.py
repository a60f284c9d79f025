"""Downloads, against a server on loopback that misbehaves as servers do."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import Body, Delay, LoopbackServer, Redirect, Stall, Status, Truncate
from zoo import hub
from zoo.hub import DownloadError

CONTENT = bytes(range(256)) * 1200  # more than four pieces of 64 KiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = f"mixnet_t-{SHA256[:8]}.pth"

download = functools.partial(hub.download, timeout=5.0, backoff=0.0)


def files(folder: Path) -> list[str]:
    """What the cache holds, lock files aside."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != ".locks")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_a_file_is_downloaded_once(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    path = download(url)
    assert path == cache / NAME
    assert path.read_bytes() == CONTENT
    assert download(url) == path
    assert len(server.requests) == 1
    assert files(cache) == [NAME]


@pytest.mark.parametrize("sized", [True, False])
def test_a_truncated_download_is_resumed(server: LoopbackServer, cache: Path, sized: bool) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Truncate(100_000), Truncate(50_000), sized=sized)
    assert download(url, size=len(CONTENT)).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [None, "bytes=100000-", "bytes=150000-"]
    assert files(cache) == [NAME]


def test_a_download_that_was_given_up_is_continued_by_the_next(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Truncate(100_000))
    with pytest.raises(DownloadError, match=f"the connection broke off after 100000 of {len(CONTENT)} bytes"):
        download(url, retries=0)
    assert files(cache) == [NAME + ".partial"]
    assert download(url).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [None, "bytes=100000-"]
    assert files(cache) == [NAME]


def test_a_partial_file_that_was_complete_is_only_placed(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    cache.mkdir(parents=True)
    (cache / f"{NAME}.partial").write_bytes(CONTENT)
    assert download(url).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [f"bytes={len(CONTENT)}-"]


def test_a_partial_file_of_something_else_is_dropped(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    cache.mkdir(parents=True)
    (cache / f"{NAME}.partial").write_bytes(b"x" * 1000)
    assert download(url).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == ["bytes=1000-", None]


def test_a_server_without_ranges_starts_again(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Truncate(100_000), ranges=False)
    assert download(url).read_bytes() == CONTENT


def test_a_server_that_answers_with_another_range_starts_again(server: LoopbackServer, cache: Path) -> None:
    other = Status(206, {"Content-Range": f"bytes 0-9/{len(CONTENT)}"})
    url = server.serve(f"/{NAME}", CONTENT, Truncate(100_000), other)
    assert download(url).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [None, "bytes=100000-", None]


def test_what_no_hash_proves_is_not_continued_with_another_version(server: LoopbackServer, cache: Path) -> None:
    """The second answer is a newer version: its end must not be appended to the older one's beginning."""
    newer = b"n" * len(CONTENT)
    answer = Body(newer, {"ETag": '"newer"'})
    url = server.serve("/model.pth", CONTENT, Truncate(100_000), answer)
    assert download(url).read_bytes() == newer
    assert server.requests[1].headers["if-range"].strip('"') == SHA256[:16]


def test_what_no_hash_proves_is_always_fetched_again(server: LoopbackServer, cache: Path) -> None:
    url = server.serve("/model.pth", b"old")
    other = server.serve("/b/model.pth", b"another model of the same name")
    path = download(url)
    assert path.read_bytes() == b"old"
    assert download(other).read_bytes() == b"another model of the same name"
    assert path.read_bytes() == b"old"
    server.serve("/model.pth", b"new")
    assert download(url) == path
    assert path.read_bytes() == b"new"
    assert [Path(name).name for name in files(cache)] == ["model.pth", "model.pth"]


def test_what_no_hash_proves_leaves_no_part_behind(server: LoopbackServer, cache: Path) -> None:
    url = server.serve("/model.pth", CONTENT, forever=Truncate(10))
    with pytest.raises(DownloadError, match="broke off"):
        download(url, retries=1)
    assert files(cache) == []


def test_a_wrong_hash_is_refused_and_nothing_is_left(server: LoopbackServer, cache: Path) -> None:
    url = server.serve("/mixnet_t-0123abcd.pth", CONTENT)
    with pytest.raises(DownloadError, match=f"its SHA-256 is {SHA256}, but its name promises 0123abcd"):
        download(url)
    assert files(cache) == []


def test_a_wrong_full_hash_is_refused_though_the_name_agrees(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    assert download(url, sha256=SHA256.upper()).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="but the caller expects 00000000"):
        download(url, sha256="0" * 64)
    assert files(cache) == [NAME]  # The copy that the name proves is not this caller's to remove.


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("name", [NAME, "model.pth"])
def test_a_wrong_size_is_refused_before_more_is_written(
    server: LoopbackServer, cache: Path, name: str, sized: bool
) -> None:
    url = server.serve(f"/{name}", CONTENT, sized=sized)
    most = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal most
        most = max(most, done)

    with pytest.raises(DownloadError, match=r"70000 (were expected|bytes expected at most)"):
        download(url, size=70_000, progress=progress)
    assert most <= 70_000
    assert files(cache) == []


def test_a_file_of_unknown_size_is_bounded(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, sized=False)
    with pytest.raises(DownloadError, match="larger than the 100000 bytes expected at most"):
        download(url, max_bytes=100_000)
    assert files(cache) == []


def test_a_missing_file_is_reported_with_the_way_out(server: LoopbackServer, cache: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(f"{server.url}/{NAME}")
    message = str(caught.value)
    assert "the server answered 404 Not Found" in message
    assert f"{server.url}/{NAME}" in message
    assert str(cache) in message
    assert "ZOO_MIRROR" in message
    assert len(server.requests) == 1
    assert files(cache) == []


def test_a_server_error_is_tried_again(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Status(500), Status(503, {"Retry-After": "86400"}))
    assert download(url).read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_a_lasting_server_error_is_reported(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, forever=Status(500))
    with pytest.raises(DownloadError, match="500 Internal Server Error"):
        download(url, retries=2)
    assert len(server.requests) == 3


def test_a_redirect_is_followed(server: LoopbackServer, cache: Path) -> None:
    server.serve("/storage/42", CONTENT)
    url = server.serve(f"/{NAME}", b"", Redirect("/storage/42"))
    assert download(url) == cache / NAME


def test_a_file_is_kept_as_published_though_the_server_calls_it_compressed(server: LoopbackServer, cache: Path) -> None:
    """Some servers mark a ``.gz`` file as compressed on the way; unpacked it would not have its hash any more."""
    packed = gzip.compress(CONTENT)
    name = f"mixnet_t-{hashlib.sha256(packed).hexdigest()[:8]}.pth.gz"
    url = server.serve(f"/{name}", b"", Body(packed, {"Content-Encoding": "gzip"}))
    assert download(url).read_bytes() == packed
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_http_is_refused(server: LoopbackServer, cache: Path, target: str) -> None:
    url = server.serve("/model.pth", b"", Redirect(target))
    with pytest.raises(DownloadError, match="No connection adapters"):
        download(url)
    assert files(cache) == []


@pytest.mark.parametrize("after", [-1, 0, 1000])
def test_a_stall_times_out(server: LoopbackServer, cache: Path, after: int) -> None:
    url = server.serve(f"/{NAME}", CONTENT, forever=Stall(after))
    with pytest.raises(DownloadError, match="timed out"):
        download(url, timeout=0.2, retries=1)
    assert len(server.requests) == 2


def test_a_stall_is_overcome(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Stall(-1), Stall(1 << 16))
    assert download(url, timeout=0.3).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [None, None, "bytes=65536-"]


def test_two_processes_share_one_download(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT, Delay(1.0))
    script = "import sys, zoo.hub; print(zoo.hub.download(sys.argv[1]))"
    command = [sys.executable, "-c", script, url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert printed == [str(cache / NAME)] * 2
    assert len(server.requests) == 1
    assert files(cache) == [NAME]


def test_a_corrupted_copy_is_fetched_again(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    path = download(url)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert download(url).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_corrupted_copy_goes_though_nothing_better_comes(server: LoopbackServer, cache: Path) -> None:
    path = download(server.serve(f"/{NAME}", CONTENT))
    path.write_bytes(b"x")
    with pytest.raises(DownloadError, match="it was not kept"):
        download(server.serve(f"/{NAME}", b"wrong, too"))
    assert files(cache) == []


def test_a_good_copy_is_found_in_a_cache_that_cannot_be_written(server: LoopbackServer, tmp_path: Path) -> None:
    """No lock is taken: the folder holds nothing but the file."""
    (tmp_path / NAME).write_bytes(CONTENT)
    assert download(f"{server.url}/{NAME}", cache_dir=tmp_path) == tmp_path / NAME
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_cache_that_is_a_file_is_reported(server: LoopbackServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(DownloadError, match=r"(File exists|Not a directory): .*cache"):
        download(server.serve(f"/{NAME}", CONTENT), cache_dir=tmp_path / "cache")


def test_nobody_answers(cache: Path, server: LoopbackServer) -> None:
    with LoopbackServer() as gone:
        url = f"{gone.url}/{NAME}"
    with pytest.raises(DownloadError, match="Connection refused") as caught:
        download(url)
    assert caught.value.url == url
    assert caught.value.cache_dir == cache


@pytest.mark.parametrize("own", [True, False])
def test_a_mirror_serves_but_the_published_name_decides(
    server: LoopbackServer, cache: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    published = "https://github.com/someone/zoo/releases/download/v1/"
    mirror = ("https://github.com/", f"{server.url}/mirror/")
    server.serve(f"/mirror/someone/zoo/releases/download/v1/{NAME}", CONTENT)
    server.serve("/mirror/someone/zoo/releases/download/v1/mixnet_t-0123abcd.pth", CONTENT)
    if not own:
        monkeypatch.setenv("ZOO_MIRROR", f"https://example.org/=http://127.0.0.1:9/ {mirror[0]}={mirror[1]}")
    mirrors = [mirror] if own else []
    assert download(published + NAME, mirrors=mirrors) == cache / NAME
    with pytest.raises(DownloadError, match="its name promises 0123abcd") as caught:
        download(published + "mixnet_t-0123abcd.pth", mirrors=mirrors)
    assert f"by the mirror {server.url}/mirror/someone" in str(caught.value)
    assert files(cache) == [NAME]


def test_a_mirror_may_be_a_folder(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    mirror = ("https://example.org/v1/", f"{folder.as_uri()}/")
    path = download(f"https://example.org/v1/{NAME}", mirrors=[mirror])
    assert path.read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="No such file"):
        download("https://example.org/v1/other-0123abcd.pth", mirrors=[mirror])


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("file:///dev/zero", "not a regular file"),
        ("file://fileserver/share/x.pth", "not one of fileserver"),
        ("ftp://example.org/x.pth", "scheme 'ftp'"),
        ("https://example.org/", "no usable file name"),
        ("https://example.org/..", "no usable file name"),
        ("https://example.org/%2e%2e%2f", "no usable file name"),
        ("https://example.org/..%5cx.pth", "no usable file name"),
        ("https://example.org/.bashrc", "no usable file name"),
        ("https://example.org/%00.pth", "no usable file name"),
        ("https://[/x.pth", "Invalid IPv6 URL"),
    ],
)
def test_hostile_urls_are_refused(cache: Path, url: str, complaint: str) -> None:
    with pytest.raises(DownloadError, match=complaint):
        download(url)
    assert files(cache) == []


def test_an_encoded_path_cannot_leave_the_folder(server: LoopbackServer, cache: Path) -> None:
    url = server.serve(f"/a%2F..%2F..%2F{NAME}", CONTENT)
    assert download(url) == cache / NAME


def test_a_mirror_is_read_from_text() -> None:
    assert hub.parse_mirror("https://a.org/=file:///b/") == ("https://a.org/", "file:///b/")
    assert hub.parse_mirror("https://a.org/?x=1&y=http://b.org/") == ("https://a.org/?x=1&y", "http://b.org/")
    for text in ("", "https://a.org/", "=http://b.org/", "https://a.org/=b.org", "a b=http://c.org"):
        with pytest.raises(ValueError, match="a mirror is written PREFIX=URL"):
            hub.parse_mirror(text)


def test_a_bad_setting_is_reported(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_MIRROR", "example.org")
    with pytest.raises(DownloadError, match="a mirror is written PREFIX=URL"):
        download(f"https://example.org/{NAME}")


def test_a_password_is_not_shown(cache: Path) -> None:
    with LoopbackServer() as gone:
        mirror = gone.url.replace("http://", "http://me:secret@")
    with pytest.raises(DownloadError) as caught:
        download(f"https://example.org/{NAME}", mirrors=[("https://example.org", mirror)], retries=0)
    assert gone.url in str(caught.value)
    assert "secret" not in str(caught.value)


def test_progress_is_reported(server: LoopbackServer, cache: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    download(server.serve(f"/{NAME}", CONTENT), progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, len(CONTENT))
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_only(
    server: LoopbackServer, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.serve(f"/{NAME}", CONTENT)
    download(url).unlink()
    assert capsys.readouterr() == ("", "")
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    download(url)
    assert NAME in terminal.getvalue()


def test_the_cache_is_where_torch_hub_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch.hub

    for home, xdg in (("/a", ""), ("", "/b"), ("", ""), ("~/c", "/b")):
        monkeypatch.setenv("TORCH_HOME", home)
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            if not os.environ[name]:
                monkeypatch.delenv(name)
        assert hub.default_cache_dir() == Path(torch.hub.get_dir()) / "checkpoints"
