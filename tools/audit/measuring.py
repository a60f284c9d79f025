"""Have the models of an index measured: once at the sizes that their claims name, once more where a claim needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tools.audit.profile import Clock
from tools.audit.progress import Progress
from tools.audit.settings import Settings, SettingsError
from tools.measure.records import Factory, Failure, InputSize, Listing, Measurement, Request
from tools.modelindex.records import Index, Model
from tools.rules.claims import scalar
from tools.rules.diagnosis import sizes_claimed, sizes_to_try
from tools.rules.engine import judge
from tools.rules.records import Context
from tools.rules.sizes import parse_size

if TYPE_CHECKING:
    from tools.measure.run import Session

Outcome = Measurement | Failure


@dataclass(slots=True)
class Measured:
    """What measuring gave, also where it was interrupted."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By the model's name, in the index's order."""
    listing: Listing | None = None
    interrupted: bool = False
    troubles: list[str] = field(default_factory=list)


def measure(settings: Settings, index: Index, progress: Progress, clock: Clock) -> Measured:
    """List the zoo and measure every model of the index; nothing for a static audit.

    An interrupt (Ctrl-C) stops the work; what is known by then is returned, the rest as cancelled.
    """
    measured = Measured()
    factory = settings.build()
    if settings.static or factory is None:
        return measured
    models = {model.name.text: model for model in index.models}
    lists = factory.list_models is not None and not settings.partial and not settings.models
    try:
        with clock.phase("measure"), _session(settings) as session:
            rounds = _Rounds(session, measured, settings, index, progress, clock)
            first = {name: _request(model, factory, settings) for name, model in models.items()}
            rounds.run(first, listed=factory if lists else None)
            again = {
                name: request
                for name, model in models.items()
                if (request := _second(model, factory, settings, index, measured.outcomes[name])) is not None
            }
            if again:
                progress.note(
                    f"{len(again)} of {len(models)} models again, at other input sizes, to explain what they claim"
                )
                rounds.run(again)
    except KeyboardInterrupt:
        measured.interrupted = True
    for name in models:
        measured.outcomes.setdefault(name, Failure(name, "cancelled", "the run was interrupted before it was measured"))
    measured.outcomes = {name: measured.outcomes[name] for name in models}
    return measured


def _session(settings: Settings) -> Session:
    from tools.measure.run import MeasureOptions, Session

    options = MeasureOptions(
        jobs=settings.jobs,
        memory=settings.memory,
        refresh=settings.refresh,
        cluster=settings.cluster,
        cache_path=settings.cache_path,
    )
    return Session(options if settings.timeout is None else replace(options, timeout=settings.timeout))


def _request(model: Model, factory: Factory, settings: Settings) -> Request:
    name = model.name.text
    return Request(
        name=name,
        factory=factory,
        build_name=settings.rename.get(name, name),
        # Where the zoo's own code can be asked it is, and _second sees to the models of which it says nothing.
        input_size=_fallback(model, settings) if factory.config_of is None else None,
        sizes=sizes_claimed(model),
    )


def _fallback(model: Model, settings: Settings) -> InputSize | None:
    """The input size of a model of which the code says none: the configured one, else the card's Image Size."""
    if settings.input_size is not None:
        return settings.input_size
    claimed = scalar(model.metadata.get("image size"))
    return None if claimed is None else parse_size(claimed.text)


def _second(model: Model, factory: Factory, settings: Settings, index: Index, outcome: Outcome) -> Request | None:
    """What to measure of a model once its first measurement is known, or ``None`` where that tells everything."""
    request = first = _request(model, factory, settings)
    fallback = _fallback(model, settings)
    if isinstance(outcome, Failure):
        # Many models take inputs of one size alone, and it was not that of the first try.
        retry = replace(first, input_size=fallback or first.input_size)
        return retry if outcome.stage == "forward" and retry != first else None
    if outcome.config.input_size is None and fallback not in (None, outcome.input_size):
        request = replace(first, input_size=fallback)
    request = replace(request, sizes=tuple(dict.fromkeys([*request.sizes, *sizes_to_try(model, outcome, index)])))
    return None if request == first else request


class _Rounds:
    """Runs requests and keeps each result as it comes, so that an interrupt loses nothing that is known."""

    def __init__(
        self,
        session: Session,
        measured: Measured,
        settings: Settings,
        index: Index,
        progress: Progress,
        clock: Clock,
    ) -> None:
        self._session = session
        self._measured = measured
        self._settings = settings
        self._index = index
        self._progress = progress
        self._clock = clock
        self._models = {model.name.text: model for model in index.models}

    def run(self, requests: Mapping[str, Request], *, listed: Factory | None = None) -> None:
        """Measure, and list the zoo beside that where one is given; results land in ``measured``."""
        from tools.measure.task import ClusterError, Task

        tasks: list[Task] = [*requests.values()] if listed is None else [listed, *requests.values()]
        self._progress.begin(len(requests), self.findings_of)
        try:
            records = self._session.carry_out(tasks, progress=self)
        except ClusterError as error:
            raise SettingsError(f"--cluster: {error}") from None
        if any(isinstance(record, Failure) and record.stage == "cancelled" for record in records):
            raise KeyboardInterrupt
        if listed is not None:
            listing = records[0]
            if isinstance(listing, Listing):
                self._measured.listing = listing
            elif isinstance(listing, Failure):
                self._measured.troubles.append(
                    f"{listed.list_models} could not list the zoo's models: {listing.message}"
                )

    def started(self, name: str) -> None:
        """A model was given to a worker."""
        self._progress.started(name)

    def finished(self, name: str, result: Outcome, *, cached: bool) -> None:
        """A model is done."""
        if not (isinstance(result, Failure) and result.stage == "cancelled"):
            self._measured.outcomes[name] = result
        if isinstance(result, Measurement):
            self._clock.measured(result, cached=cached)
        self._progress.finished(name, result, cached=cached)

    def findings_of(self, name: str, result: Outcome) -> int:
        """How much is wrong with one model, as far as it can be told from the model alone."""
        # Without the files: pages tell of several models, and what is wrong with them is told at the end.
        index = replace(self._index, models=(self._models[name],), problems=(), files={})
        context = Context(index, {name: result}, input_size=self._settings.input_size, partial=True)
        settings = self._settings
        return len(judge(context, select=settings.select, ignore=settings.ignore).findings)
