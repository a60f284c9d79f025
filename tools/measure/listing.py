"""Ask a zoo which models it has."""

from __future__ import annotations

from tools.measure.factory import code_config, resolve
from tools.measure.model import failure
from tools.measure.records import Factory, Failure, Listing


def list_in_process(factory: Factory) -> Listing | Failure:
    """The zoo's names, in this process. Without ``list_models`` the listing is empty; never raises."""
    if factory.list_models is None:
        return Listing((), ())
    try:
        names = tuple(str(name) for name in resolve(factory.list_models, factory.root)())
        published: tuple[str, ...] = ()
        if factory.config_of is not None:
            published = tuple(name for name in names if code_config(factory, name).weights)
        return Listing(names, published)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may raise anything
        return failure("", "import", error)


def list_models(factory: Factory) -> Listing | Failure:
    """The names that the zoo's own code lists, and which of them have published weights."""
    return list_in_process(factory)
