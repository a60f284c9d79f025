"""Sum what is known of modules by stage: the parts of a model that a reader of its paper would name.

A stage is a direct child of the model. Where one child is a container that holds nearly everything (``blocks``,
``features``), its children take its place (``blocks.0``, ``blocks.1`` ...), so that the table tells something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_MOSTLY = 0.5
OTHER = "(other)"
"""What the model's own ``forward`` does outside its children, and parameters that it holds itself."""


def stage_names(model: nn.Module) -> tuple[str, ...]:
    """Module paths of the stages, in order. They do not overlap and leave nothing out but the model's own part."""
    children = list(model.named_children())
    sizes = {name: _weight(child) for name, child in children}
    total = sum(sizes.values())
    names: list[str] = []
    for name, child in children:
        inner = [key for key, _ in child.named_children()]
        if len(inner) > 1 and total and sizes[name] > _MOSTLY * total and _is_container(child):
            names += [f"{name}.{key}" for key in inner]
        else:
            names.append(name)
    return tuple(names)


def sum_by_stage(stages: tuple[str, ...], by_module: Mapping[str, int], total: int) -> dict[str, int]:
    """Totals of the stages out of totals of modules; what no stage holds is ``(other)``. They add up to ``total``.

    A stage with nothing (an activation between two stages) is left out.
    """
    sums = {name: by_module[name] for name in stages if by_module.get(name)}
    rest = total - sum(sums.values())
    if rest:
        sums[OTHER] = rest
    return sums


def _weight(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters()) + sum(1 for _ in module.modules())


def _is_container(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)
