"""The site's macros, for the mkdocs-macros plugin. Importing this loads no torch, and neither does a build.

The plugin calls the functions below; everything else is reached through :class:`tools.site.build.Build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from tools.site.build import Build

_builds: WeakKeyDictionary[Any, Build] = WeakKeyDictionary()


def define_env(env: Any) -> None:
    """Register the macros of a new build."""
    from tools.site.reload import fresh, serving

    preview = serving()
    if preview:
        # The plugin would end the whole server at a typo; this way the page shows it until it is mended.
        env.config["on_error_fail"] = False
    build = fresh("tools.site.build").Build(env, serving=preview)
    _builds[env] = build
    for macro in build.macros():
        env.macro(macro)


def on_pre_page_macros(env: Any) -> None:
    """Before a page's macros are expanded."""
    _builds[env].before_page()


def on_post_page_macros(env: Any) -> None:
    """After a page's macros were expanded."""
    _builds[env].after_page()


def on_post_build(env: Any) -> None:
    """After all pages were written."""
    _builds[env].after_build()
