"""``--weights``, ``--download``, ``--mirror`` and ``--online``, against files and a server of this machine."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
import torch

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit
from tests.support.server import LoopbackServer, Status

URL = "https://example.org/weights/"


@pytest.fixture(scope="module")
def file() -> bytes:
    """What torch writes for the small toy: one convolution of 8x3x3x3."""
    buffer = io.BytesIO()
    torch.save({"0.weight": torch.ones(8, 3, 3, 3)}, buffer)
    return buffer.getvalue()


@pytest.fixture
def name(zoo: Path, file: bytes) -> str:
    """The weights' file name, which the card of the small toy now gives, with the right size."""
    name = f"small-{hashlib.sha256(file).hexdigest()[:8]}.pth"
    edit(
        zoo / "cards" / "small.md",
        "    Image Size: 16\n",
        f"    Image Size: 16\n    File Size: {len(file)}\n  Weights: {URL}{name}\n",
    )
    return name


def _verdicts(stdout: str) -> dict[str, str]:
    (model,) = json.loads(stdout)["models"]
    return {claim["field"]: claim["verdict"] for claim in model["claims"]}


def _small(audit: Audit, *arguments: object) -> tuple[int, dict[str, str], str]:
    result = audit("--models", "small", "--format", "json", *arguments)
    return result.exit_code, _verdicts(result.stdout), result.stderr


def test_a_file_at_hand_is_proved_and_one_that_is_not_is_unchecked(
    zoo: Path, audit: Audit, name: str, file: bytes, tmp_path: Path
) -> None:
    _, without, _ = _small(audit)
    assert without["Weights"] == "unchecked"
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / "down" / name).write_bytes(file)
    code, verdicts, _ = _small(audit, "--weights", tmp_path)
    assert (code, verdicts["Weights"], verdicts["File Size"]) == (0, "verified", "verified")
    (tmp_path / "deep" / "down" / name).write_bytes(file + b"\0")
    code, verdicts, _ = _small(audit, "--weights", tmp_path)
    assert (code, verdicts["Weights"], verdicts["File Size"]) == (1, "mismatch", "mismatch")


def test_download_fetches_what_is_missing_through_a_mirror(
    zoo: Path, audit: Audit, name: str, file: bytes, tmp_path: Path
) -> None:
    with LoopbackServer() as server:
        mirror = server.serve(f"/m/{name}", file).removesuffix(name)
        arguments = ("--weights", tmp_path, "--download", "--mirror", f"{URL}={mirror}")
        code, verdicts, _ = _small(audit, *arguments)
        assert (code, verdicts["Weights"]) == (0, "verified")
        assert (tmp_path / name).read_bytes() == file
        _small(audit, *arguments)
        assert len(server.requests_for(f"/m/{name}")) == 1


def test_only_the_selected_models_are_downloaded(
    zoo: Path, audit: Audit, name: str, file: bytes, tmp_path: Path
) -> None:
    edit(
        zoo / "cards" / "large.md", "    Image Size: 16\n", f"    Image Size: 16\n  Weights: {URL}large-0123abcd.pth\n"
    )
    with LoopbackServer() as server:
        mirror = server.serve(f"/m/{name}", file).removesuffix(name)
        code, _, stderr = _small(audit, "--weights", tmp_path, "--download", "--mirror", f"{URL}={mirror}")
        assert (code, [request.path for request in server.requests]) == (0, [f"/m/{name}"]), stderr


def test_a_file_whose_name_several_urls_share_is_nobodys(zoo: Path, audit: Audit, file: bytes, tmp_path: Path) -> None:
    for model in ("small", "large"):
        card = zoo / "cards" / f"{model}.md"
        url = f"https://example.org/{model}/resolve/main/pytorch_model.bin"
        edit(card, "    Image Size: 16\n", f"    Image Size: 16\n    File Size: 2345\n  Weights: {url}\n")
    (tmp_path / "pytorch_model.bin").write_bytes(file)
    _, verdicts, stderr = _small(audit, "--weights", tmp_path)
    assert verdicts["Weights"] == "unchecked"
    assert "several URLs share a file name, so no file is compared with them: pytorch_model.bin" in stderr
    assert "WTS007" not in audit("--weights", tmp_path).stdout


def test_a_download_that_fails_is_told_and_is_not_clean(
    zoo: Path, audit: Audit, name: str, file: bytes, tmp_path: Path
) -> None:
    with LoopbackServer() as server:
        mirror = server.serve(f"/m/{name}", file[:-1] + b"\1").removesuffix(name)
        code, verdicts, stderr = _small(audit, "--weights", tmp_path, "--download", "--mirror", f"{URL}={mirror}")
    assert (code, verdicts["Weights"]) == (2, "unchecked")
    assert f"could not download {URL}{name}" in stderr
    assert not list(tmp_path.rglob("*.pth"))


def test_online_asks_each_url_once_and_only_then(zoo: Path, audit: Audit) -> None:
    card = zoo / "cards" / "small.md"
    with LoopbackServer() as server:
        gone = server.serve("/gone-0123abcd.pth", b"", Status(404), Status(404))
        edit(card, "    Image Size: 16\n", f"    Image Size: 16\n  Weights: {gone}\n")
        assert "LNK" not in audit("--select", "LNK").stdout
        assert server.requests == []
        result = audit("--online", "--select", "LNK", "--format", "json")
        assert result.exit_code == 1
        (finding,) = json.loads(result.stdout)["findings"]
        assert (finding["path"], finding["line"], finding["column"]) == ("cards/small.md", 11, 12)
        assert len({request.path for request in server.requests}) == 1


def test_an_unusable_cluster_is_a_usage_error(zoo: Path, audit: Audit) -> None:
    result = audit("--cluster", "nowhere", "--refresh", "--models", "small")
    assert result.exit_code == 2
    assert "--cluster: " in result.stderr
    assert "Traceback" not in result.stderr
