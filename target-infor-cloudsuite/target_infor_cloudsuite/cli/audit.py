"""The audit: export what the files lack, and prove that ledger and files agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_infor_cloudsuite.audit import files
from target_infor_cloudsuite.audit.verify import verify as find_problems
from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import ExitCode, table
from target_infor_cloudsuite.ledger import events

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session


@click.group()
def audit() -> None:
    """The hash-chained record of who did what, when and why."""


@audit.command()
@common
def export(session: Session) -> None:
    """Write the events that the audit files lack (every run does this by itself)."""
    written = files.export(session.ledger, session.settings.output_dir)
    folder = session.settings.output_dir / "audit"
    session.show({"written": written, "folder": str(folder)})
    session.say(f"{written} events written to {folder}.")


@audit.command()
@common
def verify(session: Session) -> None:
    """Compare ledger and files event by event; exits with 1 when anything was touched."""
    problems = find_problems(session.ledger, session.settings.output_dir)
    with session.ledger.read() as tx:
        count, _ = events.end_of_chain(tx)
    session.show(
        {"events": count, "problems": problems},
        table("Audit", ("what", "value"), [("events", str(count)), ("problems", str(len(problems)))]),
    )
    for problem in problems:
        session.say(problem)
    session.say(
        "Ledger and files agree."
        if not problems
        else "Keep ledger and files as they are, and tell the auditor."
    )
    if problems:
        click.get_current_context().exit(ExitCode.FAILED)
