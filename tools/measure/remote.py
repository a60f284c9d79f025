"""What runs on another machine's dask worker: it unpacks the shipped sources and drives a process of its own.

This module is sent by value, because the machine may not have this package; so it imports the standard library only.
The models are not built in dask's process: a crash or a hang there would cost the machine's other tasks, and counting
changes torch for the whole process while it runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import platform
import select
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

_STARTING_SECONDS = 300.0
_STASH = "_zoo_audit_servers"


def describe(packages: list[str]) -> dict[str, Any]:
    """The worker's versions, and which of ``packages`` cannot be imported there."""

    def version(name: str) -> str:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return ""

    return {
        "versions": {"python": platform.python_version(), "torch": version("torch"), "fvcore": version("fvcore")},
        "missing": [name for name in packages if importlib.util.find_spec(name) is None],
    }


def perform(bundle: bytes, task: dict[str, Any], timeout: float | None, memory: int | None) -> dict[str, Any]:
    """Carry out one task in this worker's server process.

    Returns:
        ``{"answer": ...}``, or ``{"timeout": True}``, or ``{"crash": exit code}``, or ``{"error": what it wrote}``
        where the process could not be started.
    """
    folder = _unpack(bundle)
    _into(task, str(folder))
    servers = _servers()
    key = (str(folder), memory)
    try:
        server = servers.setdefault(key, []).pop()
    except IndexError:
        try:
            server = _Server(folder, memory)
        except OSError as error:
            return {"error": str(error)}
    answer: dict[str, Any] = server.ask(task, timeout)
    if "answer" in answer:
        servers[key].append(server)
    else:
        server.end()
    return answer


def _into(task: dict[str, Any], folder: str) -> None:
    """Let a factory whose sources were shipped be found where they were unpacked."""
    factory = task.get("factory", task)
    factory["root"] = folder


def _unpack(bundle: bytes) -> Path:
    """The folder with the bundle's files; made once for each content, complete or not at all."""
    digest = hashlib.sha256(bundle).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"zoo-audit-{digest}"
    if _is_mine(folder):
        return folder
    fresh = Path(tempfile.mkdtemp(prefix="zoo-audit-"))
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        archive.extractall(fresh)
    with contextlib.suppress(OSError):  # another worker of this machine was first
        fresh.rename(folder)
    return folder if _is_mine(folder) else fresh


def _is_mine(folder: Path) -> bool:
    """Whether this user made the folder: in a shared temporary folder anybody can guess and take its name."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _servers() -> dict[Any, list[Any]]:
    """The idle server processes of this dask worker. This module is unpickled for each task and keeps nothing."""
    stash = sys.modules.get(_STASH)
    if stash is None:
        stash = sys.modules.setdefault(_STASH, ModuleType(_STASH))
    idle: dict[Any, list[Any]] = stash.__dict__.setdefault("idle", {})
    return idle


class _Server:
    """One ``python -m tools.measure.worker`` with its pipes. It ends when this process does: its input ends."""

    def __init__(self, folder: Path, memory: int | None) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.measure.worker"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            bufsize=0,
        )
        self.buffer = b""
        self.ended = False
        if not self._write({"memory": memory}) or self._read(_STARTING_SECONDS) != {"ready": True}:
            self.end()
            self.log.seek(0)
            raise OSError(self.log.read().decode(errors="replace")[-2000:] or "the measuring process did not start")

    def ask(self, task: dict[str, Any], timeout: float | None) -> dict[str, Any]:
        answer = self._read(timeout) if self._write(task) else None
        if answer is not None:
            return {"answer": answer}
        return {"crash": self.process.wait(10)} if self.ended else {"timeout": True}

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def _write(self, data: dict[str, Any]) -> bool:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(data).encode() + b"\n")
        except BrokenPipeError:
            self.ended = True
            return False
        return True

    def _read(self, timeout: float | None) -> Any:
        """The next line of the answer as JSON; ``None`` when time is up or the process ended."""
        assert self.process.stdout is not None
        until = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = None if until is None else max(0.0, until - time.monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            if not ready:
                return None
            part = self.process.stdout.read(1 << 16)
            if not part:
                self.ended = True
                return None
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)
