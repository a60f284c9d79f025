"""Ask a zoo which models it has. Its code is foreign: it runs in a worker process, and the answer is cached."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

from tools.measure.factory import code_config, resolve
from tools.measure.records import Factory, Failure, Listing


def list_in_process(factory: Factory) -> Listing | Failure:
    """The zoo's names, in this process. Without ``list_models`` the listing is empty; never raises."""
    from tools.measure.model import failure

    if factory.list_models is None:
        return Listing((), ())
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = tuple(str(name) for name in resolve(factory.list_models, factory.root)())
            published: tuple[str, ...] = ()
            if factory.config_of is not None:
                published = tuple(name for name in names if code_config(factory, name).weights)
        return Listing(names, published)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may raise anything, SystemExit included
        return failure("", "import", error)


def list_models(factory: Factory, *, cache_path: Path | None = None) -> Listing | Failure:
    """The names that the zoo's own code lists, and which of them have published weights.

    The zoo's code runs in a worker process unless the cache at ``cache_path`` has its answer.
    """
    from tools.measure.run import MeasureOptions, Session

    if factory.list_models is None:
        return Listing((), ())
    with Session(MeasureOptions(jobs=1, cache_path=cache_path)) as session:
        (outcome,) = session.carry_out([factory])
    assert isinstance(outcome, Listing | Failure), "a listing was asked for"
    return outcome
