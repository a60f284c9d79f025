"""One build of the site: the macros that its pages use, and what is written beside them."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tools.rules.records import Severity
from tools.site import cost, machines, tables
from tools.site.comments import without_index
from tools.site.html import as_block, forget_templates, render, web_url
from tools.site.outcome import Outcome, audit
from tools.site.repository import Commit, commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.site.facts import Facts

log = logging.getLogger("mkdocs.macros.zoo")


class PageError(LookupError):
    """A macro that a page uses where it has nothing to show."""


class Build:
    """Runs the audit at the first macro that needs it, and never twice.

    Args:
        env: the mkdocs-macros plugin, which knows the configuration and the current page.
        serving: whether pages are shown while somebody writes; a wrong claim then shows on its page and fails nothing.
    """

    def __init__(self, env: Any, *, serving: bool) -> None:
        self._env = env
        self.serving = serving
        self._project = Path(env.project_dir)
        self._drawn: dict[tuple[str, str], Markup] = {}
        self._paths: dict[str, str] = {}
        if serving:
            forget_templates()

    def macros(self) -> Sequence[Callable[..., str]]:
        """Every macro, under the name that pages call it by."""
        return (
            self.summary_table,
            self.published_numbers,
            self.architecture,
            self.cost_breakdown,
            self.weights_table,
            self.weights_url,
            self.citation,
            self.measured_with,
            self.overview_table,
            self.accuracy_charts,
            self.audit_state,
            self.counters_table,
            self.counter_descriptions,
            self.doubled_table,
            self.rules_overview,
            self.rule_page,
            self.changelog,
            self.data_link,
        )

    # ---- cards

    def summary_table(self) -> str:
        """The page's variants with every number's verdict, and a legend."""
        return as_block(tables.summary(self._models()))

    def published_numbers(self) -> str:
        """How the page's published FLOPs come about, operator by operator."""
        return as_block(tables.published(self._models()))

    def architecture(self) -> str:
        """The architecture of each of the page's variants, drawn from the code."""
        return self._variants("architecture", self._draw_architecture)

    def cost_breakdown(self) -> str:
        """Where each variant's FLOPs and parameters go."""
        return self._variants("cost", cost.draw)

    def weights_table(self) -> str:
        """The page's weight files with size and hash, and the command that verifies one by hand."""
        lead = self._lead()
        facts = lead if lead and lead.hash_prefix else next((f for f in self._models() if f.hash_prefix), None)
        return as_block(tables.weights(self._models())) + tables.verify_by_hand(facts)

    def weights_url(self) -> str:
        """The URL of the weights of the page's ``model_name``, for its snippets.

        Raises:
            PageError: the front matter names no model of the page, or the model publishes no weights on the web.
        """
        facts = self._lead()
        if facts is None:
            raise PageError(f"{self._page_path}: model_name in the front matter names no model of this page")
        url = web_url(facts.weights_url)
        if url is None:
            raise PageError(f"{self._page_path}: {facts.name} has no weights with an http or https URL")
        return url

    def citation(self, key: str) -> str:
        """A reference of ``docs/references.bib`` as a BibTeX block."""
        from tools.site.citations import citation

        return f"\n\n{citation(self._references, key)}\n\n"

    def measured_with(self) -> str:
        """The versions that the page's numbers were measured with."""
        return as_block(render("environment.html", environment=self.outcome.report.environment, commit=self.commit))

    # ---- home and overviews

    def overview_table(self) -> str:
        """All variants of the zoo in one table."""
        return as_block(tables.overview(self.outcome.models, self._link))

    def accuracy_charts(self) -> str:
        """Top 1 over FLOPs and over parameters."""
        from tools.site.accuracy import charts

        return as_block(charts(self.outcome.models, self._link))

    def audit_state(self) -> str:
        """How many claims have which verdict."""
        return as_block(tables.state(self.outcome.report, self.commit))

    def counters_table(self) -> str:
        """All variants under each counter."""
        return as_block(tables.counters(self.outcome.models, self._link))

    def counter_descriptions(self) -> str:
        """What each counter counts."""
        from tools.site.counters import descriptions

        return as_block(descriptions())

    def doubled_table(self, name: str) -> str:
        """One variant's cost as different people would quote it."""
        from tools.site.counters import quotations

        facts = self.outcome.find(name)
        if facts is None:
            raise PageError(f"{self._page_path}: no model is named {name!r}")
        return as_block(quotations(facts))

    # ---- rules and the rest

    def rules_overview(self) -> str:
        """Every rule in a table."""
        from tools.site.rule_pages import overview

        return overview()

    def rule_page(self, code: str) -> str:
        """The documentation of one rule."""
        from tools.site.rule_pages import page

        return page(code)

    def changelog(self) -> str:
        """CHANGELOG.md of the project, without its title."""
        text = (self._project / "CHANGELOG.md").read_text(encoding="utf-8")
        return re.sub(r"\A\s*# [^\n]*\n", "", text)

    def data_link(self, path: str, text: str) -> str:
        """A link to a file that the build writes beside the pages, such as ``models.json``."""
        return str(render("link.html", href=self._relative(path), text=text))

    # ---- the plugin's events

    def before_page(self) -> None:
        """Take the model index out of a card: it is data, and braces in it are no macros."""
        self._env.markdown = without_index(self._env.markdown)

    def after_page(self) -> None:
        """Add the card's models as JSON-LD."""
        if self._page_path.endswith(".md") and self._is_card():
            self._env.markdown += as_block(machines.json_ld(self._models(), self._env.page.canonical_url))

    def after_build(self) -> None:
        """Write the files for machines, and let a build fail on a wrong claim."""
        outcome, site = self.outcome, Path(self._env.conf["site_dir"])
        files = {
            **machines.files(outcome.report, outcome.models, self.commit),
            "models.schema.json": machines.SCHEMA_FILE.read_text(encoding="utf-8"),
            "badge.svg": str(machines.badge(outcome.report)),
            "model-index.yml": self._merged_index(),
        }
        cff = self._project / "CITATION.cff"
        if cff.is_file():
            files["CITATION.cff"] = cff.read_text(encoding="utf-8")
        machines.write(site, files)
        self._tell_findings()

    # ---- what the macros share

    @cached_property
    def outcome(self) -> Outcome:
        """The audit's results."""
        outcome = audit(self._project)
        if not self.serving:
            # They stay until the process ends, and so does all that is there by now: nothing for the collector to find.
            gc.freeze()
        return outcome

    @cached_property
    def commit(self) -> Commit:
        """The commit that the site is built from."""
        return commit(self._project)

    @cached_property
    def _references(self) -> Mapping[str, str]:
        from tools.site.citations import entries

        return entries(Path(self._env.conf["docs_dir"]) / "references.bib")

    @cached_property
    def _urls(self) -> Mapping[str, str]:
        """Path of a page relative to the project -> its URL within the site."""
        files = self._env.variables["files"].documentation_pages()
        return {self._relative_to_project(file.abs_src_path): file.url for file in files}

    @property
    def _page_path(self) -> str:
        path = self._env.page.file.abs_src_path
        if path not in self._paths:
            self._paths[path] = self._relative_to_project(path)
        return self._paths[path]

    def _relative_to_project(self, path: str) -> str:
        try:
            return Path(path).relative_to(self._project).as_posix()
        except ValueError:
            return Path(path).as_posix()

    def _is_card(self) -> bool:
        return self._page_path in self.outcome.by_page

    def _models(self) -> tuple[Facts, ...]:
        found = self.outcome.by_page.get(self._page_path, ())
        if not found:
            raise PageError(f"{self._page_path}: the model index has no model on this page")
        return found

    def _lead(self) -> Facts | None:
        """The model that the page's front matter names."""
        name = self._env.page.meta.get("model_name")
        return next((facts for facts in self._models() if facts.name == name), None)

    def _link(self, facts: Facts) -> str | None:
        url = self._urls.get(facts.report.model.page or "")
        return None if url is None else f"{self._relative(url)}#{tables.anchor(facts.name)}"

    def _relative(self, url: str) -> str:
        from mkdocs.utils import get_relative_url

        return get_relative_url(url, self._env.page.url)

    def _variants(self, kind: str, draw: Callable[[Facts], Markup]) -> str:
        lead = self._lead() or self._models()[0]
        parts = [(facts.name, facts is lead, self._cached(kind, facts, draw)) for facts in self._models()]
        return as_block(render("variants.html", parts=parts))

    def _cached(self, kind: str, facts: Facts, draw: Callable[[Facts], Markup]) -> Markup:
        key = kind, facts.name
        if key not in self._drawn:
            self._drawn[key] = draw(facts)
        return self._drawn[key]

    def _draw_architecture(self, facts: Facts) -> Markup:
        if self.outcome.own_zoo:
            import zoo
            from tools.site.architecture import draw

            if facts.name in zoo.list_models():
                return draw(zoo.model_info(facts.name))
        return render("no_architecture.html", name=facts.name)

    def _merged_index(self) -> str:
        from tools.modelindex.export import export

        return export(self.outcome.index, "model-index")

    def _tell_findings(self) -> None:
        """Tell what the audit found.

        Raises:
            mkdocs.exceptions.Abort: something is wrong and this is a build, not a preview. A warning would not do:
                strict mode counts only warnings that are shown, and ``--quiet`` shows none.
        """
        report = self.outcome.report
        wrong = report.severities()[Severity.ERROR]
        fatal = wrong and not self.serving
        for finding in report.findings:
            level = logging.ERROR if fatal and finding.severity is Severity.ERROR else logging.INFO
            log.log(level, "%s %s %s", finding.place, finding.code, finding.message)
        if fatal:
            from mkdocs.exceptions import Abort

            raise Abort(f"The audit found {wrong} error{'s' if wrong > 1 else ''}: the pages claim what is not so.")
