"""create_model(pretrained=True), end to end: a server, a cache, a file, a model."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import pytest
import torch

import zoo
from tests.support.server import LoopbackServer
from tests.support.weights import (
    pretrained_from,
    save_hashed,
    script_command,
    seeded_image,
    seeded_state_dict,
    write_hashed,
)
from zoo.checkpoint import CheckpointError, adapt_stem
from zoo.hub import DownloadError

NAME = "tf_mixnet_s"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def weight_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_hashed(seeded_state_dict(NAME), tmp_path_factory.mktemp("weights"), NAME)


def serve(server: LoopbackServer, path: Path) -> str:
    return server.serve(f"/{path.name}", path.read_bytes())


def test_published_weights_are_downloaded_and_loaded(
    server: LoopbackServer, cache: Path, weight_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pretrained_from(NAME, serve(server, weight_file)):
        model = zoo.create_model(NAME, pretrained=True)
        zoo.create_model(NAME, pretrained=True)
    for key, expected in seeded_state_dict(NAME).items():
        assert torch.equal(model.state_dict()[key], expected), key
    assert (cache / weight_file.name).read_bytes() == weight_file.read_bytes()
    assert len(server.requests) == 1
    assert not caplog.records


def test_weights_may_come_from_a_folder(cache: Path, weight_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_MIRROR", f"https://example.org/v1/={weight_file.parent.as_uri()}/")
    with pretrained_from(NAME, f"https://example.org/v1/{weight_file.name}"):
        model = zoo.create_model(NAME, pretrained=True)
    assert torch.equal(model.state_dict()["bn1.weight"], seeded_state_dict(NAME)["bn1.weight"])


def test_files_in_the_old_format_load_too(cache: Path, tmp_path: Path) -> None:
    """The published files were written before torch 1.6, not as zip archives."""
    plain = tmp_path / "plain.pth"
    torch.save(seeded_state_dict(NAME), plain, _use_new_zipfile_serialization=False)
    path = write_hashed(plain.read_bytes(), tmp_path, NAME)
    with pretrained_from(NAME, path.as_uri()):
        model = zoo.create_model(NAME, pretrained=True)
    assert torch.equal(model.state_dict()["bn1.weight"], seeded_state_dict(NAME)["bn1.weight"])


@pytest.mark.parametrize("num_classes", [10, 0])
def test_another_classifier_starts_fresh_and_says_so(
    cache: Path, weight_file: Path, caplog: pytest.LogCaptureFixture, num_classes: int
) -> None:
    with pretrained_from(NAME, weight_file.as_uri()):
        model = zoo.create_model(NAME, pretrained=True, num_classes=num_classes).eval()
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, num_classes or 1536)
    seeded = seeded_state_dict(NAME)
    assert torch.equal(model.state_dict()["conv_head.weight"], seeded["conv_head.weight"])
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    expected = "the classifier of 10 classes starts fresh: the published weights tell 1000 classes apart"
    assert messages == ([expected] if num_classes else [])


def test_one_channel_gives_what_its_three_channel_copy_gave(
    cache: Path, weight_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grey = seeded_image(96, 96)[:, :1]
    with pretrained_from(NAME, weight_file.as_uri()):
        colour = zoo.create_model(NAME, pretrained=True).eval()
        assert not caplog.records
        single = zoo.create_model(NAME, pretrained=True, in_chans=1).eval()
    assert "adapted to 1 channels" in caplog.text
    with torch.inference_mode():
        expected = colour(grey.expand(1, 3, 96, 96))
        torch.testing.assert_close(single(grey), expected, rtol=0, atol=1e-3 * expected.std().item())


def test_the_stem_repeats_red_green_blue() -> None:
    weight = torch.tensor([3.0, 30.0, 300.0]).view(1, 3, 1, 1)
    assert adapt_stem(weight, 1).flatten().tolist() == [333.0]
    assert adapt_stem(weight, 6).flatten().tolist() == [1.5, 15.0, 150.0, 1.5, 15.0, 150.0]
    assert adapt_stem(weight, 4).flatten().tolist() == [2.25, 22.5, 225.0, 2.25]
    assert adapt_stem(weight, 2).flatten().tolist() == [4.5, 45.0]


def test_nothing_is_published_for_xxl() -> None:
    with pytest.raises(zoo.NoWeightsError, match="no weights were published for mixnet_xxl"):
        zoo.create_model("mixnet_xxl", pretrained=True)


def test_without_a_network_the_error_names_url_and_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer() as gone:
        monkeypatch.setenv("ZOO_MIRROR", f"https://github.com/={gone.url}/")
    with pytest.raises(DownloadError) as caught:
        zoo.create_model(NAME, pretrained=True)
    weights = zoo.model_info(NAME).weights
    assert weights is not None
    assert weights.url in str(caught.value)
    assert f"cache folder: {cache}" in str(caught.value)


def test_a_mirror_cannot_replace_the_published_weights(
    server: LoopbackServer, cache: Path, weight_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = zoo.model_info(NAME).weights
    assert weights is not None
    server.serve(f"/{weights.file_name}", weight_file.read_bytes())
    monkeypatch.setenv("ZOO_MIRROR", f"{weights.url.removesuffix(weights.file_name)}={server.url}/")
    with pytest.raises(DownloadError, match="its name promises 89d3354b"):
        zoo.create_model(NAME, pretrained=True)
    assert not list(cache.glob("*.pth*"))


class _Poison:
    """Runs ``os.mkdir`` when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_poisoned_pickle_is_refused_and_not_executed(
    server: LoopbackServer, cache: Path, tmp_path: Path, zipped: bool
) -> None:
    target = tmp_path / "executed"
    plain = tmp_path / "plain.pth"
    torch.save({"conv_stem.weight": _Poison(target)}, plain, _use_new_zipfile_serialization=zipped)
    path = write_hashed(plain.read_bytes(), tmp_path, NAME)
    with (
        pretrained_from(NAME, serve(server, path)),
        pytest.raises(CheckpointError, match="was refused, and nothing in it was executed"),
    ):
        zoo.create_model(NAME, pretrained=True)
    assert not target.exists()
    torch.load(path, weights_only=False)  # The poison is real: here it works.
    assert target.exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "was refused"),
        (b"PK\x03\x04 not really", "was refused"),
        (b"<html>404</html>", "was refused"),
    ],
)
def test_what_is_no_checkpoint_is_refused(cache: Path, tmp_path: Path, content: bytes, complaint: str) -> None:
    path = write_hashed(content, tmp_path, NAME)
    with pretrained_from(NAME, path.as_uri()), pytest.raises(CheckpointError, match=complaint):
        zoo.create_model(NAME, pretrained=True)


def test_what_does_not_fit_exactly_is_refused(cache: Path, tmp_path: Path) -> None:
    state = seeded_state_dict(NAME)
    contents: list[tuple[object, str]] = [
        ([1, 2], "no state dict but a list"),
        ({"state_dict": state, "epoch": 3}, "not a tensor: state_dict, epoch"),
        ({key: value for key, value in state.items() if key != "bn1.bias"}, r"Missing key\(s\).*bn1.bias"),
        ({**state, "extra": torch.zeros(1)}, r"Unexpected key\(s\).*extra"),
        ({**state, "bn1.bias": torch.zeros(3)}, "size mismatch for bn1.bias"),
        ({f"module.{key}": value for key, value in state.items()}, r"Missing key\(s\)"),
    ]
    for content, complaint in contents:
        path = save_hashed(content, tmp_path, NAME)
        with pretrained_from(NAME, path.as_uri()), pytest.raises(CheckpointError, match=f"(?s){complaint}"):
            zoo.create_model(NAME, pretrained=True, num_classes=10)


def test_a_script_runs_unchanged_with_weights_of_the_test(
    server: LoopbackServer, cache: Path, weight_file: Path
) -> None:
    script = cache.parent / "snippet.py"
    cache.mkdir(parents=True)
    script.write_text(
        "import sys, zoo\n"
        f"model = zoo.create_model({NAME!r}, pretrained=True, num_classes=2)\n"
        "print(__name__, sys.argv[1:], model.state_dict()['bn1.weight'].tolist()[0])\n"
    )
    command = [*script_command(script, {NAME: serve(server, weight_file)}), "--flag"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first = seeded_state_dict(NAME)["bn1.weight"].tolist()[0]
    assert done.stdout == f"__main__ ['--flag'] {first}\n"
    assert "the classifier of 2 classes starts fresh" in done.stderr
    assert (cache / weight_file.name).exists()
