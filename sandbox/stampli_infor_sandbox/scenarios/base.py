"""What every scenario hands over, and how it reaches M3 and the SFTP server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.m3.database import unit_of_work
from stampli_infor_sandbox.m3.master import parse

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from stampli_infor_sandbox.m3.master import Master

_AGE_SECONDS = 600
"""How old the files look: longer than any settling time a reader may insist on by default."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A first state.

    Args:
        cono: The company that clients should use by default.
        divi: Its division.
        master: Kind of master data to its rows.
        invoices: Invoices that M3 holds from elsewhere.
        files: Name to content of the files in ``/outbound``.
    """

    cono: int
    divi: str
    master: Mapping[str, Sequence[Mapping[str, Any]]]
    invoices: Sequence[Mapping[str, Any]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


def install(scenario: Scenario, connection: sqlite3.Connection, master: Master) -> None:
    """Put the scenario's master data and invoices into an empty M3."""
    with unit_of_work(connection):
        for kind, rows in scenario.master.items():
            for row in rows:
                master.put(connection, kind, parse(kind, row))
        for invoice in scenario.invoices:
            names = ", ".join(invoice)
            marks = ", ".join("?" * len(invoice))
            # The names are the scenario's own, from package data.
            query = f"INSERT INTO invoice ({names}) VALUES ({marks})"  # noqa: S608
            connection.execute(query, tuple(invoice.values()))


def place_files(scenario: Scenario, outbound: Path, now: datetime) -> None:
    """Write the exports, dated a few minutes back, so that a reader finds them settled."""
    written = now.timestamp() - _AGE_SECONDS
    for number, (name, content) in enumerate(sorted(scenario.files.items())):
        path = outbound / name
        path.write_bytes(content)
        os.utime(path, (written + number, written + number))
