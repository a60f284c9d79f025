"""Reach a zoo's own code: import its callables from its folder and read what it says of a model.

The folder of the zoo (``Factory.root``) comes first on ``sys.path``, so that a repository that is not installed, and
whose package has the name of an installed one, is the one that is built. The exception is ``tools``: this package
runs from there. A zoo's own ``tools`` folder is appended to it, so that its modules are found wherever their names
are not among ours (``tools.audit``, ``tools.measure`` ...).

Foreign code may do anything. :func:`resolve` lets its exceptions through; the callers turn them into failures.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from enum import EnumMeta
from pathlib import Path
from typing import Any

import tools
from tools.measure.records import CodeConfig, Factory, InputSize


def resolve(target: str, root: str = ".") -> Callable[..., Any]:
    """The callable that ``package.module:callable`` names, with ``root`` first on ``sys.path`` from now on.

    Raises:
        ValueError: ``target`` is not of that form.
        ImportError: there is no such module or no such name in it.
        TypeError: what is found cannot be called.
        Exception: whatever the imported module raises.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise ValueError(f"{target!r} is not of the form package.module:callable")
    _enter(Path(root).resolve(), module_name)
    found: Any = importlib.import_module(module_name)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise ImportError(f"module {module_name!r} has no {path!r}") from None
    if not callable(found):
        raise TypeError(f"{target} is a {type(found).__name__}, not a callable")
    return found  # type: ignore[no-any-return]  # callable() narrows Any to a callable of unknown type


def _enter(root: Path, module_name: str) -> None:
    folder = str(root)
    if not sys.path or sys.path[0] != folder:
        sys.path[:] = [folder, *(entry for entry in sys.path if entry != folder)]
        importlib.invalidate_caches()
    _share_tools(root)
    package = module_name.partition(".")[0]
    if package != "tools":
        _forget_another(package, root)


def _share_tools(root: Path) -> None:
    """Look for ``tools.something`` in this package first, and then in the zoo's folder of that name."""
    own, theirs = str(Path(str(tools.__file__)).parent), str(root / "tools")
    tools.__path__[:] = [own] if own == theirs or not Path(theirs).is_dir() else [own, theirs]


def _forget_another(package: str, root: Path) -> None:
    """Unload ``package`` where it was loaded from elsewhere although ``root`` holds one of that name."""
    loaded = sys.modules.get(package)
    here = [root / package / "__init__.py", root / f"{package}.py"]
    if loaded is None or not ((root / package).is_dir() or here[1].is_file()):
        return
    origin = getattr(loaded, "__file__", None)
    places = [Path(origin)] if origin else [Path(p) / "__init__.py" for p in getattr(loaded, "__path__", [])]
    if any(place.resolve() in here for place in places):
        return
    for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
        del sys.modules[name]


def code_config(factory: Factory, name: str) -> CodeConfig:
    """What ``config_of`` says of the model ``name``; nothing where the factory has none.

    Raises:
        Exception: whatever the zoo's own function raises.
    """
    if factory.config_of is None:
        return CodeConfig()
    return normalise(resolve(factory.config_of, factory.root)(name))


def normalise(said: object) -> CodeConfig:
    """A zoo's own description of a model as a :class:`CodeConfig`.

    Understood are objects with attributes and mappings with the common names (``zoo.ModelInfo``, timm's
    ``PretrainedCfg``), torchvision's weights (an enumeration with a ``DEFAULT`` or one of its members) and ``None``.
    What is missing or of another type is ``None``.
    """
    if isinstance(said, EnumMeta):
        said = getattr(said, "DEFAULT", None)
    if said is None:
        return CodeConfig()
    weights = _get(said, "weights")
    nested = (weights, _get(said, "preprocessing"), _get(weights, "preprocessing"), _transforms(said))
    sources = [said, *(source for source in nested if source is not None and not isinstance(source, str))]
    url = weights if isinstance(weights, str) else _first(sources, "url", "weights_url")
    return CodeConfig(
        weights=url if isinstance(url, str) and url else None,
        input_size=_input_size(sources),
        crop_pct=_crop(sources),
        interpolation=_interpolation(_first(sources, "interpolation")),
        mean=_floats(_first(sources, "mean")),
        std=_floats(_first(sources, "std")),
    )


def _get(source: object, name: str) -> object:
    if isinstance(source, Mapping):
        return source.get(name)
    return getattr(source, name, None)


def _first(sources: list[object], *names: str) -> object:
    found = (_get(source, name) for source in sources for name in names)
    return next((value for value in found if value is not None), None)


def _transforms(said: object) -> object:
    """torchvision keeps the preprocessing behind a callable that makes it."""
    make = _get(said, "transforms")
    return make() if callable(make) and _get(said, "url") is not None else None


def _integers(value: object) -> tuple[int, ...] | None:
    if isinstance(value, tuple | list) and value and all(type(item) is int and item > 0 for item in value):
        return tuple(value)
    return None


def _input_size(sources: list[object]) -> InputSize | None:
    for name in ("input_size", "image_size", "crop_size"):
        value = _first(sources, name)
        if type(value) is int and value > 0:
            return (3, value, value)
        size = _integers(value)
        if size is not None:
            if len(size) == 1:
                return (3, size[0], size[0])
            return (3, *size) if len(size) == 2 else size
    return None


def _crop(sources: list[object]) -> float | None:
    stated = _first(sources, "crop_pct", "crop")
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return float(stated)
    crop, resize = (_integers(_first(sources, name)) for name in ("crop_size", "resize_size"))
    return round(crop[0] / resize[0], 3) if crop and resize else None


def _interpolation(value: object) -> str | None:
    value = getattr(value, "value", value)
    return value if isinstance(value, str) and value else None


def _floats(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, tuple | list) or not value:
        return None
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return None
    return tuple(float(item) for item in value)
