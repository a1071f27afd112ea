"""Options and arguments that several commands take."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from stampli_infor_transforms.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., Any]")


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand in the session; --config and --format may also stand behind the command."""

    @wraps(command)
    def called(*args: Any, config_path: Path | None, format_: str | None, **kwargs: Any) -> Any:
        session = click.get_current_context().obj
        if config_path is not None:
            session.config_path = config_path
        if format_ is not None:
            session.format = format_
        return command(session, *args, **kwargs)

    format_option = click.option(
        "--format", "format_", type=click.Choice(["text", "json"]), help="As before the command."
    )
    config_option = click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        help="As before the command.",
    )
    return config_option(format_option(called))


def actor_and_reason(command: Command) -> Command:
    """Whoever changes something says who they are and why; both stand in the audit."""
    reason = click.option("--reason", required=True, help="Why, for the audit.", callback=_not_blank)
    actor = click.option(
        "--actor", required=True, help="Who decides this, for the audit.", callback=_not_blank
    )
    return actor(reason(command))


def codes(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Reason codes, for the shell to complete."""
    return [code for code in REASONS if code.startswith(begun)]


def _not_blank(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it may not be blank.")
    return value.strip()
