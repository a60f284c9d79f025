"""The same tasks on a real scheduler with real workers on this machine, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.measure.test_run import timeless
from tools.measure.cluster import bundle
from tools.measure.records import Factory, Failure, Measurement, Request
from tools.measure.run import MeasureOptions, measure_all
from tools.measure.serial import to_json
from tools.measure.task import ClusterError

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
STARTING_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _dask_may_warn() -> Iterator[None]:
    """Its event loop's clean-up after a lost worker warns of sockets that it is about to close."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler with two workers, and the workers. They know nothing of this repository."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:], "--no-dashboard"],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    try:
        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
        address = _said(scheduler, rb"Scheduler at:\s+(tcp://\S+)")
        workers = [start("worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1") for _ in range(2)]
        for worker in workers:
            _said(worker, rb"Registered to:\s+(\S+)")
        yield address, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


def _said(process: subprocess.Popen[bytes], pattern: bytes) -> str:
    """What a process writes to standard error that fits ``pattern``."""
    assert process.stderr is not None
    text = b""
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline:
        if select.select([process.stderr], [], [], 1.0)[0]:
            part = os.read(process.stderr.fileno(), 1 << 16)
            text += part
            found = re.search(pattern, text)
            if found:
                return found.group(1).decode()
            if not part:
                break
    raise AssertionError(f"{pattern!r} was not said:\n{text.decode(errors='replace')}")


@pytest.fixture
def foreign(tmp_path: Path) -> Factory:
    """A zoo in a folder that the workers have never seen, with a module beside its package."""
    root = tmp_path / "foreign"
    (root / "animals").mkdir(parents=True)
    (root / "widths.py").write_text("def width(name):\n    return int(name.rpartition('_')[2])\n")
    (root / "animals" / "__init__.py").write_text(
        "import os\nimport torch\nfrom widths import width\n\n"
        "def names():\n"
        "    return [f'cat_{number}' for number in range(1, 26)]\n\n"
        "def build(name):\n"
        "    if name.startswith('exit'):\n"
        "        os._exit(3)\n"
        "    if name.startswith('wrong'):\n"
        "        raise ValueError('no such animal')\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, width(name), 3), torch.nn.ReLU())\n"
    )
    return Factory("animals:build", root=str(root))


def text(results: dict[str, Measurement | Failure]) -> str:
    """The results as the report gets them, without wall times."""
    plain = [to_json(timeless(result)) for result in results.values()]
    return json.dumps(plain, indent=1)


class KillOne:
    """Kills a worker once a few models are done."""

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self.worker = worker
        self.done = 0

    def started(self, name: str) -> None:
        pass

    def finished(self, name: str, result: Measurement | Failure, *, cached: bool) -> None:
        self.done += 1
        if self.done == 4:
            self.worker.kill()


def test_a_lost_worker_changes_nothing_in_the_results(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], foreign: Factory
) -> None:
    address, workers = cluster
    names = [f"cat_{width}" for width in range(1, 25)] + ["exit_1", "wrong_1"]
    requests = [Request(name, foreign, input_size=(3, 8, 8)) for name in names]
    local = measure_all(requests, options=MeasureOptions(jobs=2))
    killer = KillOne(workers[0])
    remote = measure_all(requests, options=MeasureOptions(cluster=address), progress=killer)
    assert workers[0].wait(10) == -9
    assert killer.done == len(names)
    assert text(remote) == text(local)
    assert isinstance(remote["exit_1"], Failure)

    # what the workers lack is said, with the worker's address
    missing = Request("x", Factory("no_such_package:build"))
    with pytest.raises(ClusterError, match=r"tcp://\S+: it cannot import 'no_such_package'"):
        measure_all([missing], options=MeasureOptions(cluster=address))


def test_the_audit_s_report_is_the_one_of_a_local_run(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], foreign: Factory
) -> None:
    address, workers = cluster
    folder = Path(foreign.root)
    # A convolution of n filters of 3x3 over 3 channels has 28 n parameters; the last one's claim is wrong.
    claims = {"wrong_1": 28, "exit_1": 28, **{f"cat_{n}": 28 * n for n in range(1, 24)}, "cat_24": 1}
    entries = "".join(f"- Name: {name}\n  Metadata:\n    Parameters: {claim}\n" for name, claim in claims.items())
    (folder / "model-index.yml").write_text(f"Models:\n{entries}")
    (folder / "pyproject.toml").write_text(
        "[tool.zoo-audit]\nfactory = 'animals:build'\nlist-models = 'animals:names'\ninput-size = '3x8x8'\n"
    )
    command = [sys.executable, "-P", "-m", "tools.audit", "--no-cache", "--verbose"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    reports = []
    for flags in (["--jobs", "2"], ["--cluster", address]):
        with subprocess.Popen(
            [*command, *flags], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as audit:
            assert audit.stderr is not None
            if flags[0] == "--cluster":
                audit.stderr.readline()  # the first line of progress: wrong_1 failed, which is asked for first
                workers[0].kill()
            report, said = audit.communicate(timeout=120)
        assert audit.returncode == 1, said
        reports.append(report)
    assert reports[0] == reports[1]
    assert "cat_25" in reports[0]  # what the zoo lists, and the index has not


def test_an_address_without_a_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.measure.cluster._CONNECT_SECONDS", 1)
    request = Request("x", Factory("zoo:create_model"))
    with pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        measure_all([request], options=MeasureOptions(cluster="tcp://127.0.0.1:9"))


def test_the_bundle_holds_what_the_factory_needs_and_is_always_the_same(foreign: Factory) -> None:
    archive = bundle(foreign.root, [foreign])
    names = zipfile.ZipFile(BytesIO(archive)).namelist()
    assert {"animals/__init__.py", "widths.py", "tools/__init__.py", "tools/measure/worker.py"} <= set(names)
    assert not [name for name in names if name.startswith(("tools/audit", "tools/rules", "zoo"))]
    assert bundle(foreign.root, [foreign]) == archive


def test_a_local_run_never_loads_dask() -> None:
    script = (
        "import sys; from tools.measure.records import *; from tools.measure.run import *\n"
        "if __name__ == '__main__':\n"
        "    measure_all([Request('x', Factory('no_such_package:build'))], options=MeasureOptions(jobs=1))\n"
        "    print('distributed' in sys.modules, 'torch' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "False False\n"
