"""Options and arguments that several commands take."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from target_infor_cloudsuite.cli.session import ExitCode
from target_infor_cloudsuite.posting.decisions import DecisionError

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., Any]")


def common(command: Command) -> Callable[..., Any]:
    """Hand in the session; --format may also stand behind the command; a refused decision ends with 2."""

    @click.option("--format", "format_", type=click.Choice(["text", "json"]), help="As before the command.")
    @click.pass_context
    @wraps(command)
    def called(ctx: click.Context, *args: Any, format_: str | None, **kwargs: Any) -> Any:
        if format_ is not None:
            ctx.obj.format = format_
        try:
            return command(ctx.obj, *args, **kwargs)
        except DecisionError as fault:
            click.echo(f"Error: {fault}", err=True)
            ctx.exit(ExitCode.WRONG_USE)

    return called


def actor_and_reason(command: Command) -> Command:
    """Whoever changes something says who they are and why; both stand in the audit."""
    command = click.option("--reason", required=True, help="Why, for the audit.", callback=_not_blank)(command)
    return click.option("--actor", required=True, help="Who decides this, for the audit.", callback=_not_blank)(command)


def _not_blank(_ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter(f"--{param.name} may not be blank.")
    return value.strip()
