"""The audit: prove it, read it, take extracts of it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime  # noqa: TC003 - click's decorators read the annotation
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from target_infor_cloudsuite.audit import extract
from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.publish import anchor_of, publish
from target_infor_cloudsuite.audit.verify import verify as find_problems
from target_infor_cloudsuite.audit.words import sentence, who
from target_infor_cloudsuite.cli.options import actor_and_reason, common
from target_infor_cloudsuite.cli.session import ExitCode, shown_time, table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.posting import decisions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_infor_cloudsuite.cli.session import Session

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The hash-chained record of who did what, when and why."""


@audit.command()
@common
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an extract for an auditor to this file, in place of catching up the audit files.",
)
@click.option(
    "--layout", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="Of the extract."
)
@click.option(
    "--id", "document_ids", type=int, multiple=True, help="Only events of this document (repeat it)."
)
@click.option("--from", "first", type=_DAY, help="Only events of this day (UTC) and later.")
@click.option("--to", "last", type=_DAY, help="Only events of this day (UTC) and earlier.")
def export(  # noqa: PLR0913 - each filter by its name
    session: Session,
    *,
    output: Path | None,
    layout: str,
    document_ids: tuple[int, ...],
    first: datetime | None,
    last: datetime | None,
) -> None:
    """Write the events that the audit files lack, as every run does; with --output, an auditor's extract."""
    if output is not None:
        wanted = extract.Wanted(document_ids, first.date() if first else None, last.date() if last else None)
        _write_extract(session, output, layout, wanted)
        return
    if document_ids or first or last:
        raise click.UsageError(
            "--id, --from and --to choose what an extract has: name its file with --output."
        )
    written = publish(session.ledger, session.settings, at=Clock().now())
    folder = session.settings.output_dir / "audit"
    session.show({"written": written, "folder": str(folder)})
    session.say(f"{written} events written to {folder}.")


def _write_extract(session: Session, output: Path, layout: str, wanted: extract.Wanted) -> None:
    if wanted.first_day and wanted.last_day and wanted.first_day > wanted.last_day:
        raise click.UsageError(f"--from {wanted.first_day} is later than --to {wanted.last_day}.")
    with session.ledger.read() as tx:
        for document_id in wanted.document_ids:
            decisions.require(tx, document_id)
        with _written(output) as file:
            write = extract.write_csv if layout == "csv" else extract.write_json
            count = write(tx, wanted, file)
    session.show({"events": count, "file": str(output)})
    session.say(f"{count} events written to {output}.")


@contextmanager
def _written(output: Path) -> Iterator[IO[str]]:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as fault:
        raise AuditError(
            f"The extract {output} cannot be written: {fault.strerror or fault}. Name another file."
        ) from fault


@audit.command()
@common
def verify(session: Session) -> None:
    """Compare ledger, files and anchor event by event; exits with 1 when anything was touched."""
    settings = session.settings
    anchor = anchor_of(settings)
    problems = find_problems(session.ledger, settings.output_dir, anchor=anchor)
    with session.ledger.read() as tx:
        end = events.end_of_chain(tx)
    protected = {"key": bool(end.key_id), "anchor": anchor is not None}
    facts = [
        ("events", str(end.seq - end.purged_seq)),
        ("purged before that", str(end.purged_seq)),
        ("sealed with a key", end.key_id or "no: audit_key is not set"),
        ("anchored in a second place", str(settings["audit_anchor"] or "no: audit_anchor is not set")),
        ("problems", str(len(problems))),
    ]
    session.show(
        {"events": end.seq - end.purged_seq, "purged": end.purged_seq, **protected, "problems": problems},
        table("Audit", ("what", "value"), facts),
    )
    for problem in problems:
        session.say(problem)
    session.say(
        "Ledger, files and anchor agree."
        if not problems
        else "Keep ledger and files as they are, and tell the auditor."
    )
    if problems:
        click.get_current_context().exit(ExitCode.FAILED)


@audit.command()
@common
@click.option("--id", "document_id", type=int, required=True, help="The document's number in the ledger.")
def history(session: Session, document_id: int) -> None:
    """Tell in words what happened to one document, and who did it."""
    with session.ledger.read() as tx:
        document = decisions.require(tx, document_id)
        found = events.of_document(tx, document_id)
    told = [
        {"seq": each.seq, "at": each.at, "who": who(each), "what_happened": sentence(each)} for each in found
    ]
    rows = [(f"{shown_time(each.at)}\n{who(each)}", sentence(each)) for each in found]
    session.show(
        {"id": document.id, "kind": document.kind, "number": document.number, "history": told},
        table(document.label, ("when, who", "what happened"), rows, apart=True),
    )


@audit.command()
@common
@actor_and_reason
def rekey(session: Session, *, actor: str, reason: str) -> None:
    """Let the chain go on under today's audit_key although the key before it is lost.

    What the lost key sealed can't be proven any more, and `verify` will go on saying so. To replace a key
    that you still have, give both in audit_key instead, the new one first.
    """
    hand = session.hand(actor)
    with session.ledger.write() as tx:
        lost = events.forget_key(tx)
        details = {"lost_key": lost, "why": reason}
        events.record(tx, "audit.rekeyed", at=hand.at, actor=hand.actor, details=details)
    publish(session.ledger, session.settings, at=hand.at)
    session.say(f"The chain goes on without the key {lost}." if lost else "The chain had no key.")
