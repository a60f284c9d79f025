"""Gather what rules may look at beside index and models: weight files, links, sources and files on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tools.audit.progress import Progress
from tools.audit.settings import Settings
from tools.modelindex.records import Index, Model
from tools.rules.urls import file_name
from tools.weights.records import LinkStatus, WeightFile

_MOST_SOURCE = 16 * 1024 * 1024
"""Bytes of a source file that are read at most; a larger one is no code."""


def weight_urls(index: Index) -> dict[str, tuple[str, ...]]:
    """File name -> the URLs of this name that models give for their weights."""
    urls: dict[str, tuple[str, ...]] = {}
    for model in index.models:
        if model.weights is not None:
            url = model.weights.text.strip()
            name = file_name(url)
            if name and url not in urls.get(name, ()):
                urls[name] = (*urls.get(name, ()), url)
    return urls


def weight_files(
    settings: Settings, index: Index, selected: Index, progress: Progress, troubles: list[str]
) -> Mapping[str, WeightFile] | None:
    """The weight files at hand by name; those of the selected models downloaded before, where that was asked for.

    A name like ``model.safetensors``, which several URLs share and which tells no hash, is left out: whose file one
    of that name is, nobody can tell. ``None``: nobody asked for files.
    """
    if settings.weights is None and not settings.download:
        return None
    from tools.weights.inspect import find_files, inspect_files
    from tools.weights.names import name_hash

    named = weight_urls(index)
    urls = {name: several[0] for name, several in named.items() if len(several) == 1 or name_hash(name) is not None}
    if shared := sorted(named.keys() - urls.keys()):
        progress.note(f"several URLs share a file name, so no file is compared with them: {', '.join(shared)}")
    folder = settings.weights or _cache_folder()
    found = dict(find_files(folder, tuple(urls))) if folder.is_dir() else {}
    if settings.download:
        found |= _downloaded(
            {name: urls[name] for name in weight_urls(selected) if name in urls and name not in found},
            settings,
            progress,
            troubles,
        )
    return dict(zip(found, inspect_files(list(found.values()), jobs=settings.jobs), strict=True))


def _cache_folder() -> Path:
    from zoo.hub import default_cache_dir

    return default_cache_dir()


def _downloaded(
    urls: Mapping[str, str], settings: Settings, progress: Progress, troubles: list[str]
) -> Iterator[tuple[str, Path]]:
    from zoo.hub import DownloadError, download

    for name, url in urls.items():
        # A mirror may be a folder of this machine, as the user says; what a card says must not reach into it.
        if not url.startswith(("http://", "https://")):
            troubles.append(f"{url} is not downloaded: only http and https are")
            continue
        progress.note(f"downloading {url}")
        try:
            yield name, download(url, cache_dir=settings.weights, mirrors=tuple(settings.mirror.items()))
        except DownloadError as error:
            troubles.append(f"could not download {url}: {error.reason}")


def links(settings: Settings, index: Index, progress: Progress) -> Mapping[str, LinkStatus] | None:
    """What servers say of every URL of the index; ``None`` without ``--online``."""
    if not settings.online:
        return None
    from tools.weights.remote import Options, check_links

    urls = sorted({url for model in index.models for url in _urls(model)})
    progress.note(f"asking for {len(urls)} URLs")
    return check_links(urls, Options(mirrors=tuple(settings.mirror.items())))


def source_files(settings: Settings, index: Index) -> Mapping[str, str] | None:
    """The text of the source files that Code links point into and that are there; ``None`` without ``--source``."""
    if settings.source is None:
        return None
    from tools.rules.links import source_paths

    texts = {}
    for name in source_paths(index):
        path = _inside(settings.source, name)
        try:
            if path is not None and path.is_file() and path.stat().st_size <= _MOST_SOURCE:
                texts[name] = path.read_text("utf-8", "replace")
        except OSError:
            continue
    return texts


def missing_files(index: Index) -> frozenset[str]:
    """The files that the index names and that do not exist, or lie outside its root."""
    from tools.rules.links import local_paths

    return frozenset(
        name for name in local_paths(index) if (path := _inside(index.root, name)) is None or not path.exists()
    )


def _inside(folder: Path, name: str) -> Path | None:
    """The file of this name in the folder; ``None`` where the name leads out of it or is none."""
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError):
        return None
    return path if path.is_relative_to(folder.resolve()) else None


def _urls(model: Model) -> Iterable[str]:
    scalars = [model.weights, model.code, model.config, model.paper.url if model.paper else None]
    return [scalar.text for scalar in scalars if scalar is not None and scalar.text.startswith(("http://", "https://"))]
