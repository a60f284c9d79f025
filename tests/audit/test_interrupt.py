"""Ctrl-C: what is known is printed, the exit code says so, and no process stays."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CODE = """
import os, time
from pathlib import Path

def create_model(name):
    from torch import nn
    if name == "endless":
        time.sleep(2)  # time for the other model's result to arrive
        Path("pid.tmp").write_text(str(os.getpid()))
        Path("pid.tmp").rename("pid")
        time.sleep(600)
    return nn.Conv2d(3, 4, 3, bias=False)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_prints_what_is_known_and_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "endless.py").write_text(CODE, "utf-8")
    (tmp_path / "model-index.yml").write_text(
        "Models:\n"
        "- Name: quick\n  Metadata:\n    Parameters: 109\n"  # 3 * 4 * 3 * 3 = 108
        "- Name: endless\n  Metadata:\n    Parameters: 108\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "tools.audit", "--factory", "endless:create_model", "--jobs", "1", "-f", "json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as audit:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists():
            assert audit.poll() is None, audit.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        audit.send_signal(number)
        stdout, stderr = audit.communicate(timeout=60)
    assert audit.returncode == 130, stderr
    assert "Traceback" not in stderr
    report = json.loads(stdout)
    quick, endless = report["models"]
    assert quick["measured"]["parameters"] == 108
    assert [finding["code"] for finding in report["findings"] if finding["severity"] == "error"] == ["PAR001"]
    assert endless["failure"]["stage"] == "cancelled"
    assert report["summary"]["interrupted"] is True
    assert not _runs(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the server in /proc")
def test_an_interrupt_while_torch_loads_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("def create_model(name):\n    raise ValueError\n", "utf-8")
    (tmp_path / "model-index.yml").write_text("Models:\n- Name: tiny\n", "utf-8")
    command = [sys.executable, "-m", "tools.audit", "--factory", "tiny:create_model", "--no-cache"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as audit:
        deadline = time.monotonic() + 60
        while not (servers := _servers(audit.pid)):
            assert audit.poll() is None, audit.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)  # it has begun to import, which takes most of a second
        os.killpg(audit.pid, signal.SIGINT)  # as a terminal does: to the whole group
        # Standard error ends when the last process that has it ends: the server's last words are in it.
        _, stderr = audit.communicate(timeout=60)
    assert audit.returncode == 130, stderr
    assert "KeyboardInterrupt" not in stderr
    while any(map(_runs, servers)):  # it closes its files shortly before it is gone
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _servers(parent: int) -> list[int]:
    """The servers that ``parent`` started to fork workers from."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            child = stat.read_text().rpartition(")")[2].split()[1] == str(parent)
            if child and "forkserver" in (stat.parent / "cmdline").read_text():
                found.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _runs(pid: int) -> bool:
    """Whether the process is there; one that ended and that nobody has asked for is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="the server is a POSIX one")
@pytest.mark.parametrize(
    ("call", "said"), [("open, ('/gone/with/the/pool',)", ""), ("int, ('x',)", "ValueError: invalid literal")]
)
def test_a_worker_that_an_interrupt_overtakes_says_nothing(call: str, said: str) -> None:
    # Starts a worker as the pool does, with something that raises when the worker looks at it.
    script = f"""
import multiprocessing
class Gone:
    def __reduce__(self):
        return {call}
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.measure.preload"])
    worker = context.Process(target=print, args=[Gone()])
    worker.start()
    worker.join()
    print(worker.exitcode)
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "1\n"
    assert said in shown.stderr
    assert bool(shown.stderr) == bool(said)
