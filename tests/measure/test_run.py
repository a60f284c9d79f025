"""Many models: workers that nothing sinks, the same results for any number of them, no torch where none is needed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tools.measure.listing import list_models
from tools.measure.records import Factory, Failure, Listing, Measurement, Request
from tools.measure.run import MeasureOptions, Session, measure_all

TOYS = Factory(
    "tests.measure.toys:build", config_of="tests.measure.toys:config", list_models="tests.measure.toys:names"
)
ROOT = Path(__file__).parents[2]


def requests(*names: str) -> list[Request]:
    return [Request(name, TOYS, input_size=(3, 8, 8)) for name in names]


def timeless(result: Measurement | Failure) -> Measurement | Failure:
    if isinstance(result, Failure):
        return result
    return replace(result, seconds=0.0, import_seconds=0.0, build_seconds=0.0)


class Events:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: dict[str, bool] = {}

    def started(self, name: str) -> None:
        self.begun.append(name)

    def finished(self, name: str, result: Measurement | Failure, *, cached: bool) -> None:
        self.ended[name] = cached


def test_no_model_can_sink_the_run() -> None:
    names = ["plain", "exit", "hang", "segfault", "large", "killed", "raises", "wide"]
    events = Events()
    options = MeasureOptions(jobs=2, timeout=5, memory=1 << 30)
    results = measure_all(requests(*names), options=options, progress=events)
    assert list(results) == names
    outcomes = {name: result.stage if isinstance(result, Failure) else "measured" for name, result in results.items()}
    assert outcomes == {
        "plain": "measured",
        "exit": "crash",
        "hang": "timeout",
        "segfault": "crash",
        "large": "memory",
        "killed": "crash",
        "raises": "build",
        "wide": "measured",
    }
    messages = {name: result.message for name, result in results.items() if isinstance(result, Failure)}
    assert messages["exit"] == "its process ended with exit code 3 while the model was built or run"
    assert messages["segfault"].startswith("its process was ended by signal 11")
    assert messages["hang"] == "no result after 5 s"
    assert "llocate" in messages["large"]
    assert sorted(events.begun) == sorted(names)
    assert events.ended == dict.fromkeys(names, False)


def test_a_model_leaves_nothing_behind_for_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    results = measure_all(
        requests("double", "interrupts", "verbose", "writes", "plain"), options=MeasureOptions(jobs=1)
    )
    double, interrupts, verbose, _, plain = results.values()
    assert isinstance(double, Measurement)
    assert isinstance(plain, Measurement)
    assert (double.dtype, plain.dtype) == ("float64", "float32")
    assert isinstance(interrupts, Failure)
    assert (interrupts.stage, interrupts.message) == ("build", "KeyboardInterrupt: not the user's")
    assert isinstance(verbose, Failure)
    assert len(verbose.message) + len(verbose.detail) < 30_000


def test_workers_stay_for_the_next_round_and_are_as_many_as_it_needs() -> None:
    with Session(MeasureOptions(jobs=2)) as session:
        session.carry_out(requests("plain"))
        (worker,) = multiprocessing.active_children()
        session.carry_out(requests("wide"))
        assert multiprocessing.active_children() == [worker]
        session.carry_out(requests("plain", "wide", "eps"))
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []


def test_a_worker_that_ends_between_two_rounds_costs_nothing() -> None:
    with Session(MeasureOptions(jobs=1)) as session:
        (first,) = session.carry_out(requests("dies_later"))
        (worker,) = multiprocessing.active_children()
        worker.join()
        (second,) = session.carry_out(requests("wide"))
    assert worker.exitcode == 7
    assert isinstance(first, Measurement)
    assert isinstance(second, Measurement)


def test_a_zoo_with_tools_of_its_own_hides_nothing_of_ours_and_writes_nothing_into_the_report(tmp_path: Path) -> None:
    for folder in ("tools", "animals"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "tools" / "layers.py").write_text("from torch.nn import Linear\n")
    (tmp_path / "animals" / "__init__.py").write_text(
        "import os\nfrom tools.layers import Linear\n\n\n"
        "def build(name):\n    os.write(1, b'past sys.stdout')\n    return Linear(3, 2)\n"
    )
    # As the console script does it: the current folder is not on the path.
    code = (
        "from tools.measure.records import Factory, Request; from tools.measure.run import *;"
        "print(measure_all([Request('cat', Factory('animals:build'), input_size=(3,))], options=MeasureOptions()))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{'cat': Measurement(name='cat', parameters=8,"), done.stderr + done.stdout


def test_results_are_the_same_for_one_two_and_four_workers_and_from_the_cache(tmp_path: Path) -> None:
    names = [f"plain_{number}" for number in range(5)] + ["wide", "raises", "eps"]
    runs = []
    for jobs in (1, 2, 4):
        results = measure_all(requests(*names), options=MeasureOptions(jobs=jobs))
        runs.append([timeless(result) for result in results.values()])
        assert list(results) == names
    assert runs[0] == runs[1] == runs[2]

    options = MeasureOptions(jobs=1, cache_path=tmp_path / "c.sqlite")
    first = measure_all(requests(*names), options=options)
    events = Events()
    again = measure_all(requests(*names), options=options, progress=events)
    assert again == first | {"raises": again["raises"]}
    assert [timeless(result) for result in again.values()] == runs[0]
    assert events.ended == dict.fromkeys(names, True) | {"raises": False}  # failures are not kept
    refreshed = measure_all(requests("wide"), options=replace(options, refresh=True), progress=events)
    assert events.ended["wide"] is False
    assert timeless(refreshed["wide"]) == timeless(first["wide"])


def test_listing_goes_through_a_worker_and_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "c.sqlite"
    assert list_models(TOYS, cache_path=cache) == Listing(("plain", "wide", "eps"), ("wide",))
    script = (
        "import sys, pathlib; from tools.measure.listing import list_models; from tests.measure.test_run import TOYS;"
        "print(list_models(TOYS, cache_path=pathlib.Path(sys.argv[1])).published, 'torch' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script, str(cache)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "('wide',) False\n"
    assert list_models(Factory("tests.measure.toys:build")) == Listing((), ())
    wrong = list_models(Factory("tests.measure.toys:build", list_models="no_such_module:names"))
    assert isinstance(wrong, Failure)
    assert "no_such_module" in wrong.message


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if parent == pid:
                found += [int(entry.name), *children_of(int(entry.name))]
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
def test_an_interrupt_gives_what_is_known_and_leaves_no_process_behind() -> None:
    script = """
if __name__ == "__main__":
    from tests.measure.test_run import requests
    from tools.measure.run import MeasureOptions, measure_all
    class Said:
        def started(self, name): print("started", name, flush=True)
        def finished(self, name, result, *, cached): print("finished", name, flush=True)
    results = measure_all(requests("plain", "hang"), options=MeasureOptions(jobs=1), progress=Said())
    print({name: getattr(result, "stage", "measured") for name, result in results.items()}, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    lines: list[str] = []
    while "started hang" not in lines:
        line = process.stdout.readline()
        assert line, "the script ended early"
        lines.append(line.strip())
    workers = children_of(process.pid)
    assert workers
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    rest = process.stdout.read()
    assert process.wait(30) == 0
    process.stdout.close()
    assert rest.splitlines()[-1] == "{'plain': 'measured', 'hang': 'cancelled'}"
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if alive(pid)]


def test_a_billion_parameters_take_no_memory() -> None:
    script = """
import resource, torch
from tools.measure.model import measure_model
from tools.measure.records import Factory, Request
import tools.measure.preload
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = measure_model(Request("huge", Factory("tests.measure.huge:build"), input_size=(16384,)))
print(result.parameters, result.method, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    parameters, method, peak_mib = shown.stdout.split()
    assert int(parameters) == 4 * (16384**2 + 16384)
    assert method == "meta"
    assert int(peak_mib) < 1024
