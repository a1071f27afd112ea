"""What every command shares: settings, the open ledger, output for people or machines, exit codes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import Ledger, LedgerError
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.types import utc_text
from target_infor_cloudsuite.settings import config_from_environment, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from target_infor_cloudsuite.settings import Settings


_NARROW = 28  # M3's longest invoice number and a bit


class ExitCode(IntEnum):
    """What a command's end means."""

    WELL = 0
    FAILED = 1
    WRONG_USE = 2
    NEEDS_A_PERSON = 3


@dataclass
class Session:
    """One call of a command. ``format`` is ``text`` or ``json``; data goes to stdout, talk to stderr."""

    config_path: Path | None
    format: str

    @cached_property
    def settings(self) -> Settings:
        """The settings of --config, else of the environment that Meltano prepared."""
        return read_settings(self.config, need_ionapi=False)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration as it was given."""
        if self.config_path is None:
            return config_from_environment()
        try:
            config = json.loads(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise click.UsageError(f"--config {self.config_path} cannot be read as JSON: {fault}") from fault
        if not isinstance(config, dict):
            raise click.UsageError(f"--config {self.config_path} is no JSON object of settings.")
        return config

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, which must be there already: a command never makes an empty one."""
        ledger = Ledger(self.settings.ledger_url, audit_keys=self.settings.audit_keys)
        if not ledger.exists():
            raise LedgerError(
                f"There is no ledger at {ledger.shown_url} yet. Run the pipeline once, or correct ledger_url "
                "(a relative path counts from the current directory)."
            )
        ledger.open()
        return ledger

    def close(self) -> None:
        """Give back what the command opened."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    def hand(self, actor: str) -> Hand:
        """A named person as the one that changes something now."""
        return Hand(actor=actor, at=Clock().now())

    def show(self, data: Any, *tables: Table) -> None:
        """Print data as JSON, or tables for a person."""
        if self.format == "json":
            click.echo(json.dumps(data, default=_plain, ensure_ascii=False, indent=2))
            return
        console = Console(file=sys.stdout, soft_wrap=False)
        for table in tables:
            console.print(table)

    def say(self, text: str) -> None:
        """Talk to the person; never part of the data."""
        click.echo(text, err=True)


def table(  # noqa: PLR0913 - how each table differs
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    whole: Sequence[str] = (),
    apart: bool = False,
    narrow: Sequence[str] = (),
) -> Table:
    """A table for a terminal.

    Args:
        title: What it shows.
        columns: Their names.
        rows: The cells; a line break inside one is kept.
        numbers: Columns that stand right-aligned.
        whole: Columns that are never broken: ids, codes, statuses.
        narrow: Columns that leave the room to the others.
        apart: Whether a blank line parts the rows, for cells of several lines.
    """
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, leading=int(apart))
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in numbers else "left",
            overflow="fold",
            no_wrap=column in whole or column in numbers,
            max_width=_NARROW if column in narrow else None,
        )
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))  # a supplier's text is never markup
    return made


def shown_time(moment: datetime | str | None) -> str:
    """A moment for a person: to the second, in UTC."""
    if moment is None:
        return ""
    text = utc_text(moment) if isinstance(moment, datetime) else moment
    return f"{text[:10]} {text[11:19]} UTC"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here.")
