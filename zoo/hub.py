"""Download a published file once, prove that it is the one that was published, and keep it.

A file is proved by the hash in its *published* name (``tf_mixnet_s-89d3354b.pth``), by a full SHA-256 and by its size,
whichever are known; where it came from proves nothing. So a mirror, a proxy or a damaged cache can withhold a file but
not pass off another one for it.

Settings, all from the environment:

``TORCH_HOME``, ``XDG_CACHE_HOME``
    Files are kept where ``torch.hub`` keeps them: ``$TORCH_HOME/hub/checkpoints``, by default
    ``~/.cache/torch/hub/checkpoints``.
``ZOO_MIRROR``
    Mirrors as ``PREFIX=URL``, several separated by blanks: a URL that begins with ``PREFIX`` is fetched from ``URL``
    and the rest instead. ``file://`` URLs are mirrors too.
``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE`` …
    As ``requests`` understands them.

Importing this module imports neither torch nor ``requests``.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zoo.transfer import Options, Progress, TransferError, transfer
from zoo.weights import hash_in_name

MAX_BYTES = 64 << 30
"""No file of unknown size is downloaded beyond this many bytes."""

Mirror = tuple[str, str]
"""The beginning of URLs, and what replaces it."""


class DownloadError(RuntimeError):
    """A file could not be downloaded, or was not the one that was published.

    Attributes:
        url: the published URL.
        cache_dir: the folder that the file would have been kept in.
        reason: what went wrong, in one line.
    """

    def __init__(self, url: str, cache_dir: Path, reason: str, *, source: str = "", way_out: str = "") -> None:
        self.url = url
        self.cache_dir = cache_dir
        self.reason = reason
        via = f"\n  by the mirror {source}" if source not in ("", url) else ""
        way_out = f"\n  {way_out}" if way_out else ""
        super().__init__(f"could not download {url}{via}\n  {reason}\n  cache folder: {cache_dir}{way_out}")


def default_cache_dir() -> Path:
    """Return the folder where ``torch.hub`` keeps checkpoints, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def parse_mirror(text: str) -> Mirror:
    """Read ``PREFIX=URL``.

    Raises:
        ValueError: ``text`` is not of that form.
    """
    match = re.fullmatch(r"(?P<prefix>\S+?)=(?P<url>(?:https?|file)://\S*)", text)
    if match is None:
        raise ValueError(f"a mirror is written PREFIX=URL with an http, https or file URL, not {text!r}")
    return match["prefix"], match["url"]


def download(
    url: str,
    *,
    cache_dir: Path | str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    mirrors: Sequence[Mirror] = (),
    progress: Progress | None = None,
    timeout: float = 30.0,
    retries: int = 4,
    backoff: float = 0.5,
    max_bytes: int = MAX_BYTES,
) -> Path:
    """Return the path of a proved copy of the file behind ``url``, downloading it where there is none.

    Several processes may ask for the same file: one downloads it, the others wait. A copy in the cache is hashed before
    it is returned, and fetched again where it is not what it should be; a copy that no hash proves is never taken for
    granted but always fetched again. The file appears under its name only when it is complete and proved.

    Args:
        url: the published URL (http, https or file). A hash in its file name, between the last ``-`` and the extension,
            is the beginning of the file's SHA-256 and is checked.
        cache_dir: the folder to keep the file in. A file without a hash in its name is kept in a sub-folder, so that
            two files of the same name do not get in each other's way. Default: :func:`default_cache_dir`.
        sha256: the file's SHA-256 or its first digits, checked besides.
        size: the file's size in bytes, checked besides.
        mirrors: ``(PREFIX, URL)`` pairs, tried before those of ``ZOO_MIRROR``; the first whose prefix fits is used.
        progress: called with the bytes so far and in all (``None``: unknown). Default: a bar, on a terminal only.
        timeout: seconds without a sign of the server after which an attempt is given up.
        retries: how often a failed attempt is repeated, continuing where it broke off.
        backoff: seconds that the waits between retries grow from, doubling each time; the first retry does not wait.
        max_bytes: the largest file to accept where ``size`` is unknown.

    Raises:
        DownloadError: no proved copy could be had. Nothing is left in the cache but, where a hash will prove the whole,
            the part of a download that broke off, for the next call to continue.
    """
    folder = default_cache_dir() if cache_dir is None else Path(cache_dir)
    try:
        name = _file_name(url)
        source = _mirrored(url, mirrors)
    except ValueError as error:
        raise DownloadError(url, folder, str(error)) from error
    expected = _Expected(hash_in_name(name), sha256.lower() if sha256 else None, size)
    kept = _Kept(folder, name) if expected.name_hash else _Kept(folder, name, hashlib.sha256(url.encode()).hexdigest())
    try:
        if expected.proves and expected.agrees(kept.path):  # Before locking: a shared cache may be read-only.
            return kept.path
        with kept.locked():
            if not (expected.proves and expected.agrees(kept.path)):
                options = Options(
                    timeout=timeout,
                    retries=retries,
                    backoff=backoff,
                    size=size,
                    max_bytes=max_bytes,
                    resume_earlier=expected.proves,
                )
                with _shown(name, progress) as shown:
                    _fetch(source, kept, expected, options, shown)
    except (TransferError, OSError) as error:
        raise DownloadError(
            url, folder, str(error), source=_without_password(source), way_out=_way_out(kept, expected)
        ) from error
    return kept.path


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is known of a file beforehand."""

    name_hash: str | None
    sha256: str | None
    size: int | None

    @property
    def proves(self) -> bool:
        """Whether a file that agrees is the published one. A size alone proves nothing."""
        return bool(self.name_hash or self.sha256)

    def agrees(self, path: Path) -> bool:
        """Whether there is such a file, and it is as expected."""
        return path.is_file() and not self.objection(path)

    def objection(self, path: Path) -> str:
        """What speaks against the file; empty: nothing does."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"it has {size} bytes, but {self.size} were expected"
        if not self.proves:
            return ""
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        for expected, origin in ((self.name_hash, "its name promises"), (self.sha256, "the caller expects")):
            if expected and not actual.startswith(expected):
                return f"its SHA-256 is {actual}, but {origin} {expected}; it was not kept"
        return ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where a file and its companions are kept."""

    folder: Path
    name: str
    url_digest: str = ""

    @property
    def path(self) -> Path:
        return self.folder / self.url_digest[:16] / self.name

    @property
    def partial(self) -> Path:
        return self.path.with_name(self.name + ".partial")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file's lock, among processes and threads.

        Lock files stay (removing one while another process waits for it would let two in), in a folder of their own.
        """
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        locks = self.folder / ".locks"
        locks.mkdir(exist_ok=True)
        with FileLock(locks / f"{self.url_digest[:16]}{self.name}.lock"):
            yield


def _fetch(source: str, kept: _Kept, expected: _Expected, options: Options, progress: Progress) -> None:
    """Transfer, prove and place the file. The caller holds its lock."""
    partial = kept.partial
    resumed = options.resume_earlier and partial.exists()
    try:
        transfer(source, partial, options, progress)
    except TransferError:
        if not expected.proves:
            partial.unlink(missing_ok=True)
        raise
    objection = expected.objection(partial)
    if objection:
        partial.unlink()
        if resumed:  # The part that was there may be to blame: once more, from the first byte.
            return _fetch(source, kept, expected, options, progress)
        if not replace(expected, sha256=None, size=None).agrees(kept.path):
            kept.path.unlink(missing_ok=True)  # An older copy that belies its own name; torch.hub would load it.
        raise TransferError(objection)
    with partial.open("ab") as file:
        os.fsync(file.fileno())  # The bytes must reach the disk before the name does.
    partial.replace(kept.path)
    return None


def _file_name(url: str) -> str:
    """Return the URL's file name, as long as it is one on every system and cannot leave its folder."""
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    if not re.fullmatch(r"[^\x00-\x1f/\\:*?\"<>|.][^\x00-\x1f/\\:*?\"<>|]{0,199}", name):
        raise ValueError(f"the URL ends in {name!r}, which is no usable file name")
    return name


def _mirrored(url: str, mirrors: Sequence[Mirror]) -> str:
    """Return where ``url`` is fetched from."""
    from_environment = [parse_mirror(text) for text in os.environ.get("ZOO_MIRROR", "").split()]
    for prefix, replacement in [*mirrors, *from_environment]:
        if url.startswith(prefix):
            return replacement + url.removeprefix(prefix)
    return url


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _way_out(kept: _Kept, expected: _Expected) -> str:
    mirror = "set ZOO_MIRROR=PREFIX=URL to a mirror that can be reached"
    if not expected.proves:
        return mirror
    return f"put the file there by hand as {kept.path.relative_to(kept.folder)}, or {mirror}"


@contextmanager
def _shown(name: str, progress: Progress | None) -> Iterator[Progress]:
    """Give the caller's callback, a bar on a terminal, or silence."""
    if progress is not None or not sys.stderr.isatty():
        yield progress or (lambda *_: None)
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
