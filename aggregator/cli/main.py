"""The command group: where configuration comes from, help in groups, exit statuses."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from aggregator import __version__
from aggregator.cli import show
from aggregator.model import AggregatorError

# name → (heading of `-h`, module of aggregator.cli that holds it). Modules are imported
# only when their command is asked for: `check` must not pay for what `run` needs.
COMMANDS = {
    "review": ("Every day", "review"),
    "keep": ("Every day", "decide"),
    "hide": ("Every day", "decide"),
    "pin": ("Every day", "decide"),
    "unpin": ("Every day", "decide"),
    "retag": ("Every day", "decide"),
    "note": ("Every day", "decide"),
    "merge": ("Every day", "group"),
    "split": ("Every day", "group"),
    "add": ("Every day", "add"),
    "decisions": ("Every day", "decisions"),
    "digest": ("Every day", "digest"),
    "check": ("After an edit", "check"),
    "try": ("After an edit", "tried"),
    "diff": ("After an edit", "diff"),
    "status": ("When something looks wrong", "desk"),
    "why": ("When something looks wrong", "why"),
    "search": ("When something looks wrong", "desk"),
    "init": ("Once", "init"),
    "discover": ("Once", "discover"),
    "backfill": ("Once", "backfill"),
    "import": ("Once", "exchange"),
    "export": ("Once", "exchange"),
    "demo": ("Once", "demo"),
    "run": ("The machine", "machine"),
    "worker": ("The machine", "worker"),
    "publish": ("The machine", "published"),
    "serve": ("The machine", "published"),
    "backup": ("The machine", "backup"),
}


class Commands(click.Group):
    """Loads a command when it is asked for, and lists all under their headings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name, in the order of `-h`."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, importing its module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"aggregator.cli.{COMMANDS[cmd_name][1]}")
        command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name!r} is no command")
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the commands under the five headings of DESIGN.md §5."""
        for heading in dict.fromkeys(heading for heading, _ in COMMANDS.values()):
            rows = [
                (name, command.get_short_help_str(formatter.width))
                for name, (under, _) in COMMANDS.items()
                if under == heading
                for command in [self.get_command(ctx, name)]
                if command
            ]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401, as click declares it
        """Run the command; a foreseen error is one message and its exit status."""
        try:
            return super().invoke(ctx)
        except AggregatorError as exc:
            click.echo(show.safe_lines(f"aggregator: {exc}"), err=True)
            ctx.exit(exc.exit_status)
        except click.UsageError as exc:
            said = show.safe_lines(exc.format_message())
            raise click.UsageError(said, exc.ctx) from exc


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration; else $AGGREGATOR_CONFIG, ./feeds.toml, "
    "/srv/aggregator/feeds.toml.",
)
@click.version_option(__version__, prog_name="aggregator")
@click.pass_context
def main(ctx: click.Context, config: str | None) -> None:
    """Find every mention of a work in the press, once, and publish it as feeds.

    \b
    Exit status: 0 done · 1 could not be done · 2 wrong usage or configuration
                 3 not one feed could be reached · 75 another command holds a lock
    """
    ctx.obj = config
