"""``python -m tools.measure NAME... | FILE...``: what is true of models and weight files, as a table or as JSON."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from tools.measure.records import Factory, Failure, InputSize, Measurement, Request

_DEFAULT_FACTORY = "zoo:create_model"


class InputSizeType(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """``3x224x224``: channels, height, width."""

    name = "CxHxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> InputSize:
        """The size as numbers; a usage error where it is none."""
        parts = value if isinstance(value, tuple) else str(value).split("x")
        try:
            size = tuple(int(part) for part in parts)
        except ValueError:
            self.fail(f"{value!r} is not of the form 3x224x224", param, ctx)
        if not size or min(size) < 1:
            self.fail(f"{value!r} is not of the form 3x224x224", param, ctx)
        return size


def configured_factory(folder: Path) -> dict[str, str]:
    """``[tool.zoo-audit]`` of ``folder``'s pyproject.toml, as far as it tells of the factory.

    Raises:
        click.ClickException: the file cannot be read.
    """
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("zoo-audit", {})
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}") from None
    keys = {"factory": "target", "config-of": "config_of", "list-models": "list_models"}
    return {ours: str(table[key]) for key, ours in keys.items() if key in table}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, required=True, metavar="NAME|FILE...")
@click.option("--factory", metavar="MODULE:CALLABLE", help="What builds a model from its name.")
@click.option("--config-of", metavar="MODULE:CALLABLE", help="What tells a model's weights and input size by its name.")
@click.option("--root", default=".", type=click.Path(exists=True, file_okay=False), help="Folder that the code is in.")
@click.option("--input-size", type=InputSizeType(), help="Count at this size instead of the model's own.")
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes; default: one for each core.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=300.0, show_default=True, help="Seconds.")
@click.option("--memory", type=click.IntRange(1), metavar="MIB", help="Memory that one model may take.")
@click.option("--cluster", metavar="ADDRESS", help="Address of a dask.distributed scheduler.")
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("--refresh", is_flag=True, help="Measure again what the cache holds.")
def main(
    names: tuple[str, ...],
    factory: str | None,
    config_of: str | None,
    root: str,
    input_size: InputSize | None,
    output: str,
    jobs: int | None,
    timeout: float,
    memory: int | None,
    cluster: str | None,
    no_cache: bool,
    refresh: bool,
) -> None:
    """Measure models by NAME, and weight files by path.

    A model is built and counted: parameters, FLOPs by every counter, activations, state dict, kinds of modules. Of a
    weight FILE the size, the SHA-256 and whether it agrees with the hash in the file's name are printed.

    The factory comes from --factory, or from [tool.zoo-audit] in ROOT's pyproject.toml, or is zoo:create_model.
    Exits with 1 where a model cannot be measured or a file does not agree with its name.
    """
    from tools.measure.cache import default_path
    from tools.measure.run import MeasureOptions, measure_all
    from tools.measure.task import ClusterError

    files = [name for name in names if Path(name).is_file()]
    models = [name for name in names if name not in files]
    results: dict[str, Measurement | Failure] = {}
    if models:
        said = {"target": factory, "config_of": config_of} if factory else configured_factory(Path(root))
        built = Factory(
            target=said.get("target") or _DEFAULT_FACTORY, root=root, config_of=config_of or said.get("config_of")
        )
        options = MeasureOptions(
            jobs=jobs,
            timeout=timeout,
            memory=memory << 20 if memory else None,
            cache_path=None if no_cache else default_path(Path(root)),
            refresh=refresh,
            cluster=cluster,
        )
        requests = [Request(name, built, input_size=input_size) for name in dict.fromkeys(models)]
        try:
            results = measure_all(requests, options=options)
        except ClusterError as error:
            raise click.ClickException(str(error)) from None
    weights = [_weight_file(Path(name)) for name in dict.fromkeys(files)]
    _print(results, weights, output)
    failed = any(isinstance(result, Failure) for result in results.values())
    if failed or any(file["name_hash_agrees"] is False for file in weights):
        sys.exit(1)


def _weight_file(path: Path) -> dict[str, Any]:
    from tools.weights.inspect import inspect_file

    found = inspect_file(path)
    return {
        "kind": "weight-file",
        "path": found.path,
        "format": found.format,
        "size": found.size,
        "sha256": found.sha256,
        "name_hash": found.name_hash,
        "name_hash_agrees": found.name_hash_agrees,
        "entries": len(found.entries),
        "problem": found.problem,
    }


def _print(results: dict[str, Measurement | Failure], weights: list[dict[str, Any]], output: str) -> None:
    if output == "json":
        from tools.measure.serial import to_json

        documents = [to_json(result) for result in results.values()] + weights
        click.echo(json.dumps(documents, indent=2))
        return
    from tools.measure.show import print_file, print_model

    for result in results.values():
        print_model(result)
    for file in weights:
        print_file(file)


if __name__ == "__main__":
    main()
