"""Measurements as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.measure.records import Failure, InputSize, Measurement

_SHOWN_UNCOUNTED = 12


def print_model(result: Measurement | Failure, console: Console | None = None) -> None:
    """Everything about one model, or why there is nothing."""
    console = console or _console()
    if isinstance(result, Failure):
        console.print(f"[bold]{result.name}[/bold]: [red]{result.stage}[/red]: ", end="")
        console.print(result.message, markup=False, highlight=False)
        return
    console.print(_facts(result))
    console.print(_counts(result))
    console.print(_stages(result))
    reference = result.count("fvcore")
    if reference is not None and reference.uncounted:
        listed = [f"{name} x {number}" for name, number in reference.uncounted.items()]
        more = f" and {len(listed) - _SHOWN_UNCOUNTED} more" if len(listed) > _SHOWN_UNCOUNTED else ""
        console.print(f"fvcore has no formula for: {', '.join(listed[:_SHOWN_UNCOUNTED])}{more}", markup=False)
    console.print(f"Modules: {', '.join(f'{kind} {number}' for kind, number in result.kinds.items())}", markup=False)
    console.print()


def print_file(file: Mapping[str, Any], console: Console | None = None) -> None:
    """Size, hash and agreement of one weight file."""
    console = console or _console()
    agrees = {True: "agrees with its name", False: "does not agree with its name", None: "its name has no hash"}
    table = _table(str(file["path"]), "", "")
    table.add_row("format", str(file["format"]))
    table.add_row("size", f"{file['size']:,} bytes")
    table.add_row("SHA-256", f"{file['sha256']} ({agrees[file['name_hash_agrees']]})")
    table.add_row("entries", str(file["entries"]))
    if file["problem"]:
        table.add_row("problem", str(file["problem"]))
    console.print(table)
    console.print()


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # a pipe has no width: lines must not break where the reader's program looks
    return console


def size_text(size: InputSize) -> str:
    """``(3, 224, 224)`` as ``3x224x224``."""
    return "x".join(str(item) for item in size)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=any(columns))
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position and column else "left", overflow="fold")
    return table


def _facts(result: Measurement) -> Table:
    where = result.environment
    how = "on the meta device" if result.method == "meta" else f"by a real forward pass: {result.method_reason}"
    table = _table(result.name, "", "")
    table.add_row("parameters", f"{result.parameters:,} ({result.trainable_parameters:,} trainable)")
    table.add_row("buffers", f"{result.buffers:,}")
    table.add_row("activations", f"{result.activations:,}")
    table.add_row("state dict", f"{len(result.state_dict)} entries, {result.state_dict_bytes:,} bytes")
    table.add_row("input", f"1x{size_text(result.input_size)}, {result.dtype}")
    table.add_row("run", f"{how}, {result.seconds:.2f} s")
    table.add_row("versions", f"Python {where.python}, torch {where.torch}, fvcore {where.fvcore}, {where.platform}")
    table.add_row("fingerprint", result.fingerprint[:16])
    return table


def _counts(result: Measurement) -> Table:
    table = _table("", "FLOPs by", "input", "total", "by operator")
    table.columns[3].justify = "left"
    for count in result.counts:
        operators = ", ".join(f"{name} {number:,}" for name, number in count.by_operator.items())
        table.add_row(count.counter, size_text(count.input_size), f"{count.total:,}", operators)
    return table


def _stages(result: Measurement) -> Table:
    reference = result.count("fvcore")
    flops = reference.by_stage if reference is not None else {}
    table = _table("", "stage", "parameters", "FLOPs (fvcore)", "activations")
    for stage in dict.fromkeys([*flops, *result.parameters_by_stage, *result.activations_by_stage]):
        columns = (result.parameters_by_stage, flops, result.activations_by_stage)
        table.add_row(stage, *(f"{numbers.get(stage, 0):,}" for numbers in columns))
    return table
