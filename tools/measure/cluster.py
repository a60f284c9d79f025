"""The same tasks on a dask.distributed scheduler's workers, on as many machines as it has.

The workers need Python, torch and fvcore in this machine's versions, and what the factory imports from installed
packages. This package and a zoo that is a folder (not installed) are sent along as a zip archive. A worker that is
lost costs nothing but time: dask gives its tasks to others.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tools
from tools.measure.environment import environment
from tools.measure.records import Factory, Failure, Request
from tools.measure.sources import local_package, source_files
from tools.measure.task import (
    ClusterError,
    Limits,
    Outcome,
    Task,
    cancelled,
    crashed,
    outcome_from_wire,
    task_name,
    timed_out,
    to_wire,
)

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 15
_RETRIES = 3
_BUNDLE_BYTES = 64 << 20
_NOT_SHIPPED = {"docs", "site", "build", "dist"}


class ClusterRunner:
    """Runs tasks on the workers of a scheduler (see :class:`tools.measure.task.Runner`)."""

    def __init__(self, address: str, limits: Limits) -> None:
        self.address = address
        self.limits = limits

    def run(self, tasks: Sequence[Task], started: Callable[[int], None], done: Callable[[int, Outcome], None]) -> None:
        """Carry out ``tasks`` on all workers.

        Raises:
            ClusterError: dask is not installed here, nobody answers at the address, there are no workers, or they
                lack something.
        """
        client = self._connect()
        try:
            self._run(client, tasks, started, done)
        finally:
            client.close()

    def close(self) -> None:
        """Nothing is kept: each round connects anew."""

    def _connect(self) -> Client:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("--cluster needs dask.distributed: pip install 'zoo-audit[cluster]'") from None
        try:
            client = Client(self.address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(f"no scheduler answers at {self.address}: {error}") from None
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError:
            client.close()
            raise ClusterError(f"the scheduler at {self.address} has no workers") from None
        return client

    def _run(
        self,
        client: Client,
        tasks: Sequence[Task],
        started: Callable[[int], None],
        done: Callable[[int, Outcome], None],
    ) -> None:
        import cloudpickle  # type: ignore[import-untyped]  # it has no types
        from distributed import as_completed

        from tools.measure import remote

        cloudpickle.register_pickle_by_value(remote)
        pending: dict[Any, int] = {}
        try:
            factories = list(dict.fromkeys(task.factory if isinstance(task, Request) else task for task in tasks))
            self._check(client, factories)
            bundles = {root: client.scatter(bundle(root, factories), broadcast=True) for root in _roots(factories)}
            for index, task in enumerate(tasks):
                root = task.factory.root if isinstance(task, Request) else task.root
                arguments = (bundles[root], to_wire(task), self.limits.timeout, self.limits.memory)
                future = client.submit(remote.perform, *arguments, pure=False, retries=_RETRIES)
                pending[future] = index
                started(index)
            for future in as_completed(list(pending), loop=client.loop):
                index = pending.pop(future)
                done(index, self._outcome(tasks[index], future))
        except KeyboardInterrupt:
            client.cancel(list(pending), force=True)
            for index in pending.values():
                done(index, cancelled(tasks[index]))
        finally:
            cloudpickle.unregister_pickle_by_value(remote)

    def _check(self, client: Client, factories: Sequence[Factory]) -> None:
        from tools.measure import remote

        needed = sorted({package for factory in factories for package in _packages(factory, local=False)})
        here = environment()
        versions = {"python": here.python, "torch": here.torch, "fvcore": here.fvcore}
        problems = []
        for worker, said in sorted(client.run(remote.describe, needed).items()):
            lacks = [f"it cannot import {name!r}, which the factory is in" for name in said["missing"]]
            for name, version in said["versions"].items():
                if not version:
                    lacks.append(f"it has no {name}")
                elif versions[name] and version != versions[name]:
                    lacks.append(f"it has {name} {version}, and this machine {versions[name]}")
            problems += [f"{worker}: {'; '.join(lacks)}"] if lacks else []
        if problems:
            raise ClusterError("workers of the cluster cannot measure:\n" + "\n".join(problems))

    def _outcome(self, task: Task, future: Any) -> Outcome:
        try:
            answer = future.result()
        except Exception as error:  # KilledWorker: dask gave up after several lost workers
            return Outcome(Failure(task_name(task), "crash", f"{type(error).__name__}: {error}"))
        if "answer" in answer:
            return outcome_from_wire(answer["answer"])
        if "timeout" in answer:
            return timed_out(task, self.limits.timeout or 0.0)
        if "crash" in answer:
            return crashed(task, answer["crash"])
        return Outcome(Failure(task_name(task), "import", f"no measuring process on the worker: {answer['error']}"))


def bundle(root: str, factories: Sequence[Factory]) -> bytes:
    """A zip archive of this package and of the factories' own packages under ``root``; equal for equal files.

    Raises:
        ClusterError: the local sources are too large to be sent.
    """
    own = Path(str(tools.__file__)).parent
    files = {f"tools/{path.relative_to(own).as_posix()}": path for path in (own / "__init__.py", own / "py.typed")}
    files |= {f"tools/measure/{p.relative_to(own / 'measure').as_posix()}": p for p in source_files(own / "measure")}
    for factory in factories:
        if factory.root == root and _packages(factory, local=True):
            for place in _local_places(factory):
                files |= {path.relative_to(place.parent).as_posix(): path for path in source_files(place)}
    size = sum(path.stat().st_size for path in files.values())
    if size > _BUNDLE_BYTES:
        raise ClusterError(f"the zoo's folder {root} holds {size} bytes of sources: install it on the workers instead")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), path.read_bytes())
    return made.getvalue()


def _packages(factory: Factory, *, local: bool) -> list[str]:
    """The top-level packages of the factory's callables that are folders here, or those that are installed."""
    targets = (factory.target, factory.config_of, factory.list_models)
    names = sorted({target.partition(":")[0].partition(".")[0] for target in targets if target})
    return [name for name in names if (local_package(name, Path(factory.root)) is not None) == local]


def _local_places(factory: Factory) -> list[Path]:
    """The factory's packages, and the packages and modules beside them that they may import."""
    places = {place for name in _packages(factory, local=True) if (place := local_package(name, Path(factory.root)))}
    root = Path(factory.root)
    own = Path(str(tools.__file__)).parent
    for path in root.iterdir():
        is_package = path.is_dir() and (path / "__init__.py").is_file() and path.name not in _NOT_SHIPPED
        if (is_package or path.suffix == ".py") and path.resolve() != own.resolve():
            places.add(path)
    return sorted(places)


def _roots(factories: Sequence[Factory]) -> list[str]:
    return list(dict.fromkeys(factory.root for factory in factories))
