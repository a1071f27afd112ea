"""``reconcile``: do the files, the ledger and M3 say the same?"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import click

from target_infor_cloudsuite import reconciliation
from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import ExitCode, shown_time, table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import open_gateway

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.reconciliation import Reconciliation


@click.command()
@common
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only what was received from this day on (UTC); without it everything, at a request for each 50.",
)
def reconcile(session: Session, since: datetime | None) -> None:
    """Compare what the files held, what the ledger holds and what M3 shows, to the cent.

    Changes nothing. Exits with 3 when anything differs, and lists each difference.
    """
    settings = read_settings(session.config)
    ledger = session.ledger
    with open_gateway(settings, ledger) as gateway:
        found = reconciliation.reconcile(
            ledger,
            gateway,
            at=Clock().now(),
            since=None if since is None else since.replace(tzinfo=UTC),
        )
    session.show(found.to_json(), *_tables(found))
    if found.differences:
        session.say(f"{len(found.differences)} differences; each says what to do.")
        click.get_current_context().exit(ExitCode.NEEDS_A_PERSON)
    session.say(f"Files, ledger and M3 agree ({shown_time(found.at)}).")


def _tables(found: Reconciliation) -> list[Table]:
    source = [
        (each.kind, each.currency, *(plain_amount(amount, each.currency) for amount in amounts))
        for each in found.source
        for amounts in [(each.counted, each.ledger, each.unreadable)]
    ]
    ledger = [
        (
            each.kind,
            f"{each.company}\n{each.cono or ''} {each.divi}".strip(),
            each.status,
            str(each.ledger.count),
            f"{plain_amount(each.ledger.amount, each.currency)} {each.currency}",
            *(
                ("", "")
                if each.m3 is None
                else (str(each.m3.count), plain_amount(each.m3.amount, each.currency))
            ),
        )
        for each in found.ledger
    ]
    of_source = ("kind", "currency", "in the files", "in the ledger", "in rejected rows")
    of_ledger = ("kind", "company", "status", "ledger", "amount", "M3", "amount in M3")
    tables = [
        table("Files against ledger", of_source, source, numbers=of_source[2:]),
        table("Ledger against M3", of_ledger, ledger, numbers=of_ledger[3:], whole=("status",)),
    ]
    if found.differences:
        columns = ("what", "document", "which, and what to do")
        rows = [
            (each.code, "" if each.document_id is None else str(each.document_id), each.text)
            for each in found.differences
        ]
        tables.append(table("Differences", columns, rows, whole=columns[:2], apart=True))
    return tables
