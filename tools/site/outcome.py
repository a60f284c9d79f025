"""The audit behind a site: run once a build, and looked up by page from then on."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.site.facts import Facts

if TYPE_CHECKING:
    from tools.modelindex.records import Index
    from tools.report.records import Report

log = logging.getLogger("mkdocs.macros.zoo")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One audit's results, as the pages look them up."""

    report: Report
    index: Index
    models: tuple[Facts, ...]
    by_page: Mapping[str, tuple[Facts, ...]]
    """Path of a card relative to the project -> its models, in the card's order."""
    own_zoo: bool = False
    """The models are those of this repository's zoo, which has a table of every architecture."""

    @classmethod
    def of(
        cls, report: Report, index: Index, files: Mapping[str, object] | None = None, *, own_zoo: bool = False
    ) -> Outcome:
        """Look-ups over a finished audit. ``files`` are the local weight files by name."""
        from tools.weights.records import WeightFile

        local = {name: file for name, file in (files or {}).items() if isinstance(file, WeightFile)}
        models = tuple(Facts(model, local) for model in report.models)
        pages: defaultdict[str, list[Facts]] = defaultdict(list)
        for facts in models:
            pages[facts.report.model.page or facts.report.model.file].append(facts)
        return cls(report, index, models, {page: tuple(found) for page, found in pages.items()}, own_zoo)

    def find(self, name: str) -> Facts | None:
        """The model of that name."""
        return next((facts for facts in self.models if facts.name == name), None)


def audit(project: Path) -> Outcome:
    """Run the audit that ``project``'s pyproject.toml configures. Cached measurements are not made again.

    Raises:
        tools.audit.settings.SettingsError: the configuration is wrong.
    """
    from tools.audit.progress import Silent
    from tools.audit.run import run
    from tools.audit.settings import find_config, from_config

    class Told(Silent):
        """Says what takes its time, so that nobody takes a measurement for a hanging build."""

        def started(self, name: str) -> None:
            """A model was given to a worker."""
            log.info("measuring %s", name)

        def note(self, message: str) -> None:
            """Something else takes its time."""
            log.info("%s", message)

    settings = from_config(find_config(project), project)
    done = run(settings, Told())
    own_zoo = settings.factory == "zoo:create_model"
    return Outcome.of(done.report, done.index, done.context.weights, own_zoo=own_zoo)
