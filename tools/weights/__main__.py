"""``python -m tools.weights FILE...``: print what weight files are, and which models of the zoo they fit.

The settings are those of the audit (``[tool.zoo-audit]`` in pyproject.toml); only this entry point knows them.
"""

from __future__ import annotations

import fnmatch
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tools.measure.records import Factory, TensorEntry
from tools.weights.compare import compare
from tools.weights.describe import Match, as_json, as_text, is_sound
from tools.weights.inspect import inspect_files
from tools.weights.records import WeightFile

MANY = 50
"""In a larger zoo a file is compared only with models after which it is named, unless ``--models`` says otherwise."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--factory", metavar="MODULE:CALLABLE", help="What builds the zoo's models. Default: pyproject.toml.")
@click.option("--models", metavar="PATTERN", help="Compare only with models whose name matches, such as 'mixnet_*'.")
@click.option("--no-models", is_flag=True, help="Compare with no model, which builds none and is quick.")
@click.option("--no-values", is_flag=True, help="Leave out the search for NaN and infinite values.")
@click.option("--jobs", type=click.IntRange(min=1), help="Files and models at a time. Default: one a core.")
def main(
    files: tuple[Path, ...],
    output: str,
    factory: str | None,
    models: str | None,
    no_models: bool,
    no_values: bool,
    jobs: int | None,
) -> None:
    """Print what weight FILES are: format, size, SHA-256, tensors, and the zoo's models that they fit exactly.

    Nothing in a file is run. Exit code 0: nothing is wrong with any file; 1: something is (unreadable, unsafe, another
    hash than its name says, values that are not finite); 2: usage, or the zoo's models could not be had.
    """
    found = inspect_files(files, jobs=jobs, check_values=not no_values)
    matches: list[Match | None] = [None] * len(found)
    if not no_models and any(file.entries for file in found):
        zoo, cache = _factory(factory)
        if zoo is not None:
            state_dicts = _state_dicts(zoo, _names(zoo, models, files, cache), jobs, cache)
            matches = [_match(file, state_dicts) for file in found]
    if output == "json":
        values = [as_json(file, match) for file, match in zip(found, matches, strict=True)]
        click.echo(json.dumps({"schema": "zoo-weights/1", "files": values}, indent=2))
    else:
        click.echo("\n\n".join(as_text(file, match) for file, match in zip(found, matches, strict=True)))
    sys.exit(0 if all(map(is_sound, found)) else 1)


def _factory(target: str | None) -> tuple[Factory | None, Path | None]:
    """The factory given, else the one of the nearest pyproject.toml, if any; and where measurements are kept."""
    from tools.audit.settings import SettingsError, find_config, from_config

    try:
        settings = from_config(find_config(Path.cwd()), Path.cwd())
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    cache = settings.cache_path
    configured = settings.build()
    if target is None or (configured is not None and configured.target == target):
        return configured, cache
    return Factory(target, str(settings.root or settings.project)), cache


def _names(factory: Factory, pattern: str | None, files: Sequence[Path], cache: Path | None) -> list[str]:
    """The models to compare with."""
    from tools.measure.listing import list_models
    from tools.measure.records import Failure

    if factory.list_models is None:
        if pattern is None:
            raise click.UsageError("the zoo's models are not listed: give their names with --models, or --no-models")
        return pattern.split(",")
    listing = list_models(factory, cache_path=cache)
    if isinstance(listing, Failure):
        raise click.ClickException(f"{factory.list_models} could not list the models: {listing.message}")
    if pattern is not None:
        return [name for name in listing.names if any(fnmatch.fnmatch(name, part) for part in pattern.split(","))]
    if len(listing.names) <= MANY:
        return list(listing.names)
    named = [name for name in listing.names if any(path.name.casefold().startswith(name.casefold()) for path in files)]
    click.echo(
        f"{len(listing.names)} models in the zoo: comparing with the {len(named)} that a file is named after; "
        "--models '*' compares with all",
        err=True,
    )
    return named


def _state_dicts(
    factory: Factory, names: Sequence[str], jobs: int | None, cache: Path | None
) -> dict[str, tuple[TensorEntry, ...]]:
    from tools.measure.records import Measurement, Request
    from tools.measure.run import MeasureOptions, measure_all

    options = MeasureOptions(jobs=jobs, cache_path=cache)
    results = measure_all([Request(name, factory) for name in names], options=options)
    for name, result in results.items():
        if not isinstance(result, Measurement):
            click.echo(f"{name} could not be built: {result.message}", err=True)
    if names and not any(isinstance(result, Measurement) for result in results.values()):
        raise click.UsageError("none of the models could be built; --no-models compares with none")
    return {name: result.state_dict for name, result in results.items() if isinstance(result, Measurement)}


def _match(file: WeightFile, state_dicts: dict[str, tuple[TensorEntry, ...]]) -> Match:
    differences = {name: compare(file.entries, entries) for name, entries in state_dicts.items()}
    fits = tuple(name for name, difference in differences.items() if not difference)
    if fits or not differences:
        return Match(len(differences), fits)
    nearest = min(differences, key=lambda name: differences[name].count)
    if 2 * differences[nearest].count > len(state_dicts[nearest]):
        return Match(len(differences))
    return Match(len(differences), nearest=nearest, differences=differences[nearest])


if __name__ == "__main__":
    main(prog_name="python -m tools.weights")
