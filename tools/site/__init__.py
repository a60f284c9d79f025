"""The site's macros, for the mkdocs-macros plugin. Importing this loads no torch, and neither does a build.

The plugin calls the functions below; everything else is reached through :class:`tools.site.build.Build`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from tools.site.build import Build

_builds: WeakKeyDictionary[Any, Build] = WeakKeyDictionary()


def define_env(env: Any) -> None:
    """Register the macros of a new build."""
    from tools.site.reload import fresh, lenient, reference, serving

    preview = serving()
    if preview:
        lenient(env)
        reference.begin(env.conf, Path(env.project_dir))
    build = fresh("tools.site.build").Build(env, serving=preview)
    _builds[env] = build
    for macro in build.macros():
        env.macro(macro)


def on_pre_page_macros(env: Any) -> None:
    """Before a page's macros are expanded."""
    build = _builds[env]
    build.before_page()
    if build.serving:
        from tools.site.reload import reference

        env.markdown = reference.page(env.markdown, env.page.file.dest_uri)


def on_post_page_macros(env: Any) -> None:
    """After a page's macros were expanded."""
    _builds[env].after_page()


def on_post_build(env: Any) -> None:
    """After all pages were written."""
    build = _builds[env]
    if build.serving:
        from tools.site.reload import reference

        reference.end(Path(env.conf["site_dir"]))
    build.after_build()
