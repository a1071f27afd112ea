"""``purge``: forget what is older than it needs to be."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from target_infor_cloudsuite.audit.publish import anchor_of, publish
from target_infor_cloudsuite.audit.purge import purge as forget
from target_infor_cloudsuite.audit.verify import verify
from target_infor_cloudsuite.cli.options import actor_and_reason, common
from target_infor_cloudsuite.cli.session import ExitCode, table
from target_infor_cloudsuite.ledger import LedgerError

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session


@click.command()
@common
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=1),
    required=True,
    metavar="DAYS",
    help="Forget what is older than so many days.",
)
@click.option("--look", is_flag=True, help="Only show what would go.")
@actor_and_reason
def purge(session: Session, *, days: int, look: bool, actor: str, reason: str) -> None:
    """Forget raw records of final documents, and events, that are older than so many days.

    Numbers, keys, amounts and statuses stay, so that a document that comes again is still known as posted;
    and the chain still proves itself. A chain in which anything was touched is not purged.
    """
    ledger, settings, hand = session.ledger, session.settings, session.hand(actor)
    publish(ledger, settings, at=hand.at)
    if problems := verify(ledger, settings.output_dir, anchor=anchor_of(settings)):
        session.say(f"Error: nothing was purged, because the audit has problems: {problems[0]}")
        session.say("See `cloudsuite-ap audit verify`.")
        click.get_current_context().exit(ExitCode.FAILED)
    with ledger.write() as tx:
        purged = forget(tx, days=days, hand=hand, why=reason)
        if look:
            tx.rollback()
    if look:
        session.say("Nothing was purged; this is what would go.")
    else:
        _tidy(session)
        publish(ledger, settings, at=hand.at)
    rows = [(name.replace("_", " "), str(value)) for name, value in asdict(purged).items()]
    session.show(asdict(purged), table("Purged", ("what", "value"), rows))


def _tidy(session: Session) -> None:
    try:
        session.ledger.give_room_back()
    except LedgerError as fault:  # purged it is; only the file's free pages may still be read
        session.say(f"Warning: what was purged may still be readable in the ledger's file. {fault}")
