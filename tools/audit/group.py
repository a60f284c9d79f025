"""A click command that is the audit itself, with sub-commands beside it.

``zoo-audit docs/a.md`` audits a page; ``zoo-audit export`` runs a sub-command. A first argument that names a
sub-command is one (a file of that name is ``./export``); anything else belongs to the audit.
"""

from __future__ import annotations

from typing import Any

import click


class Section(click.Option):
    """An option that ``--help`` lists under a heading of its own."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class AuditGroup(click.Group):
    """Runs its own callback unless the first argument names a sub-command."""

    allow_interspersed_args = True  # options may follow the PATHs, as in any plain command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the audit's own options, or leave everything to the sub-command."""
        if args and args[0] in self.commands:
            ctx.invoked_subcommand = args[0]
            ctx.args = args[1:]
            return ctx.args
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command or the audit."""
        if ctx.invoked_subcommand is None:
            return click.Command.invoke(self, ctx)
        command = self.commands[ctx.invoked_subcommand]
        with command.make_context(ctx.invoked_subcommand, ctx.args, parent=ctx) as inner:
            return inner.command.invoke(inner)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """``[OPTIONS] [PATH]...``: the commands have a section of their own."""
        return click.Command.collect_usage_pieces(self, ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options section by section, in order of declaration, then the sub-commands."""
        sections: dict[str, list[tuple[str, str]]] = {}
        others: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = sections.setdefault(parameter.section, []) if isinstance(parameter, Section) else others
                section.append(record)
        sections["Other"] = others
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
        self.format_commands(ctx, formatter)
