"""The snippets of the built pages are run as they stand there, against weights that the test makes and serves."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

import zoo
from tests.site.project import ROOT, environment
from tests.support.server import LoopbackServer
from tests.support.weights import save_hashed, script_command, seeded_state_dict

# What the front matter of each card names.
CARDS = {"models/mixnet": "mixnet_l", "models/tf-mixnet": "tf_mixnet_l"}


def snippets(page: Path) -> list[str]:
    """The code blocks of a page's tabs, in order, as a reader copies them."""
    html = page.read_text("utf-8")
    tabs = html[html.index('<div class="tabbed-content">') :]
    blocks = re.findall(r'<div class="language-python highlight">.*?<code>(.*?)</code>', tabs, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", block)) for block in blocks]


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def urls(server: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("weights")
    found = {}
    for name in CARDS.values():
        path = save_hashed(seeded_state_dict(name), folder, name)
        found[name] = server.serve(f"/{path.name}", path.read_bytes())
    return found


def run(script: str, folder: Path, urls: dict[str, str]) -> str:
    from PIL import Image

    Image.new("RGB", (320, 240), (200, 120, 40)).save(folder / "photo.jpg")
    (folder / "snippet.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        script_command(folder / "snippet.py", urls),
        cwd=folder,
        env={**environment(), "TORCH_HOME": str(folder / "torch"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("page", "name"), CARDS.items())
def test_this_zoo(built_site: Path, tmp_path: Path, urls: dict[str, str], page: str, name: str) -> None:
    this_zoo, _, _ = snippets(built_site / page / "index.html")
    lines = run(this_zoo, tmp_path, {name: urls[name]}).splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(r" *\d{1,3} \d+\.\d%", line) for line in lines)


def test_the_file_by_hand(built_site: Path, tmp_path: Path, urls: dict[str, str]) -> None:
    _, _, by_hand = snippets(built_site / "models/mixnet/index.html")
    weights = zoo.model_info("mixnet_l").weights
    assert weights is not None
    assert by_hand.count(weights.url) == 1
    script = by_hand.replace(weights.url, urls["mixnet_l"])
    printed = run(f"{script}\nprint(torch.equal(model.conv_stem.weight, state_dict['conv_stem.weight']))", tmp_path, {})
    assert printed.splitlines()[-1] == "True"


def test_timm(built_site: Path, tmp_path: Path) -> None:
    if subprocess.run([sys.executable, "-c", "import timm"], capture_output=True, check=False).returncode:
        pytest.skip("timm cannot be imported")
    _, with_timm, _ = snippets(built_site / "models/mixnet/index.html")
    assert with_timm.count("pretrained=True") == 1
    # timm's weights lie on its own hub, which a test does not ask; everything else runs as it stands.
    assert len(run(with_timm.replace("pretrained=True", "pretrained=False"), tmp_path, {}).splitlines()) == 5


def test_snippets_are_python(built_site: Path) -> None:
    for page in CARDS:
        found = snippets(built_site / page / "index.html")
        assert len(found) == 3
        for text in found:
            compile(text, page, "exec")
