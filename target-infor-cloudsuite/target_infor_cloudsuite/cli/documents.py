"""Commands about documents: status, review, replay, release, dismiss."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import click
from stampli_infor_transforms.groups import GROUPS, group_of, group_of_document

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.publish import publish
from target_infor_cloudsuite.audit.words import sentence, who
from target_infor_cloudsuite.cli.options import actor_and_reason, codes, common
from target_infor_cloudsuite.cli.session import ExitCode, shown_time, table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.runs import last, oldest_review, plain_amount, totals
from target_infor_cloudsuite.ledger.states import WAITING
from target_infor_cloudsuite.posting import decisions

if TYPE_CHECKING:
    from rich.table import Table
    from stampli_infor_transforms.reasons import Group

    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.ledger.documents import Document


@click.command()
@common
def status(session: Session) -> None:
    """How many documents stand where, over which amounts, and the last run."""
    with session.ledger.read() as tx:
        found, oldest, run = totals(tx), oldest_review(tx), last(tx)
    rows = [
        (
            kind,
            name,
            str(entry["count"]),
            "\n".join(f"{amount} {currency}" for currency, amount in entry["amounts"].items()),
        )
        for kind, statuses in found.items()
        for name, entry in sorted(statuses.items())
    ]
    facts = [
        (name, shown_time(value) if name.endswith("_at") else str(value))
        for name, value in (run or {}).items()
    ]
    facts.append(("oldest in review", f"since {shown_time(oldest)}" if oldest else "none"))
    session.show(
        {"documents": found, "oldest_review": oldest, "last_run": run},
        table("Documents", ("kind", "status", "count", "amounts"), rows, numbers=("count", "amounts")),
        table("Last run", ("what", "value"), facts, whole=("what",)),
    )
    if any(statuses.get(each) for statuses in found.values() for each in WAITING):
        session.say("Something waits for a person: see `cloudsuite-ap review list`.")


@click.group()
def review() -> None:
    """What waits for a person, and why."""


@review.command("list")
@common
@click.option("--reason", "code", help="Only documents held for this reason code.", shell_complete=codes)
@click.option("--group", type=click.Choice(list(GROUPS)), help="Only documents of this group.")
def review_list(session: Session, *, code: str | None, group: str | None) -> None:
    """List what is in review, failed, rejected or in doubt, by group. Exits with 3 when there is any."""
    with session.ledger.read() as tx:
        waiting = decisions.waiting(tx, WAITING)
    by_group: dict[Group, list[Document]] = {each: [] for each in GROUPS}
    for document in waiting:
        held_for = {each["code"] for each in document.reasons}
        own = group_of_document(held_for)
        if (code is None or code in held_for) and group in {None, own}:
            by_group[own].append(document)
    columns = ("id", "status", "document", "why, and what to do")
    session.show(
        [_as_json(each) for own in by_group.values() for each in own],
        *(
            table(
                f"{GROUPS[name]} ({len(own)})",
                columns,
                map(_waiting_row, own),
                whole=("id", "status"),
                apart=True,
                narrow=("document",),
            )
            for name, own in by_group.items()
            if own
        ),
    )
    if any(by_group.values()):
        session.say("More about one: `cloudsuite-ap review show --id ID`. Codes in brackets may be released.")
        click.get_current_context().exit(ExitCode.NEEDS_A_PERSON)
    session.say("Nothing waits for a person.")


def _waiting_row(document: Document) -> tuple[str, str, str, str]:
    why = "\n\n".join(_worded(reason) for reason in document.reasons)
    return str(document.id), document.status.value, _named(document), why


@review.command("show")
@common
@click.option("--id", "document_id", type=int, required=True, help="The document's number in the ledger.")
def review_show(session: Session, document_id: int) -> None:
    """Show one document whole: as it came, as it was mapped, its reasons and its history."""
    with session.ledger.read() as tx:
        document = decisions.require(tx, document_id)
        history = events.of_document(tx, document_id)
    plain = _as_json(document)
    data = plain | {
        "raw": document.raw,
        "mapped": document.mapped,
        "notes": document.notes,
        "history": [each.content() for each in history],
    }
    facts = [
        (name, shown_time(value) if isinstance(value, datetime) else str(value))
        for name, value in plain.items()
        if name not in {"reasons", "group"} and value not in ("", None, False)
    ]
    facts += [("note", each) for each in document.notes]
    reasons = [("may be released" if each["releasable"] else "", _worded(each)) for each in document.reasons]
    steps = [_history(each) for each in history]
    tables = [table(document.label, ("what", "value"), facts, whole=("what",))]
    if reasons:
        columns = ("", "why, and what to do")
        tables.append(table("Reasons", columns, reasons, whole=columns[:1], apart=True))
    tables += _lines_of(document.mapped or {})
    tables.append(table("History", ("when, who", "what, why"), steps, apart=True))
    session.show(data, *tables)


def _lines_of(mapped: dict[str, Any]) -> list[Table]:
    """An invoice's accounting lines, a payment's invoices."""
    made = []
    if lines := mapped.get("lines"):
        columns = ("line", "net", "tax", "code", "AIT", "which rule")
        rows = [
            (
                line["source_line"],
                line["amount"],
                line["tax"],
                line["tax_code"],
                "\n".join(f"{place} {each}" for place, each in enumerate(line["ait"], 1) if each),
                "\n".join(line["trace"]),
            )
            for line in lines
        ]
        made.append(table("Accounting lines", columns, rows, numbers=("net", "tax"), apart=True))
    if applied := mapped.get("applications"):
        paid = [(each["number"], each["amount"]) for each in applied]
        made.append(table("Pays", ("invoice", "amount"), paid, numbers=("amount",)))
    return made


@click.command()
@common
@click.option(
    "--id", "document_ids", type=int, multiple=True, help="A document's number; may be given several times."
)
@click.option("--all", "all_", is_flag=True, help="Every document that failed or is in review.")
@actor_and_reason
def replay(session: Session, document_ids: tuple[int, ...], *, all_: bool, actor: str, reason: str) -> None:
    """Let documents be mapped and posted again by the next run; what is posted is left alone."""
    if bool(document_ids) == all_:
        raise click.UsageError("Give either --id (once or more) or --all.")
    with session.ledger.write() as tx:
        done = decisions.replay(tx, document_ids, hand=session.hand(actor), why=reason)
    report_done(session, "replayed", done)


@click.command()
@common
@click.option("--id", "document_id", type=int, required=True, help="The document's number in the ledger.")
@click.option(
    "--accept",
    "code",
    required=True,
    help="The reason code that is accepted, for exactly this content.",
    shell_complete=codes,
)
@actor_and_reason
def release(session: Session, document_id: int, *, code: str, actor: str, reason: str) -> None:
    """Accept one releasable reason of a document in review; the next run posts it if nothing else holds."""
    with session.ledger.write() as tx:
        decisions.release(tx, document_id, code, hand=session.hand(actor), why=reason)
    report_done(session, "released", [document_id])


@click.command()
@common
@click.option("--id", "document_id", type=int, required=True, help="The document's number in the ledger.")
@actor_and_reason
def dismiss(session: Session, document_id: int, *, actor: str, reason: str) -> None:
    """Decide that a document will not be posted."""
    with session.ledger.write() as tx:
        decisions.dismiss(tx, document_id, hand=session.hand(actor), why=reason)
    report_done(session, "dismissed", [document_id])


def _named(document: Document) -> str:
    money = (
        ""
        if document.amount is None
        else f"\n{plain_amount(document.amount, document.currency)} {document.currency}"
    )
    file = PurePosixPath(document.source_file).name
    origin = "" if document.number else f"\n{file}\nline {document.source_line}"
    return f"{document.kind} {document.number}\n{document.vendor}{money}".strip() + origin


def _worded(reason: dict[str, Any]) -> str:
    """The code on a line of its own, in brackets where it may be released; then what it means."""
    code = f"[{reason['code']}]" if reason["releasable"] else str(reason["code"])
    suggestions = "".join(f"\nperhaps: {each}" for each in reason["suggestions"])
    return f"{code}\n{reason['text']}{suggestions}"


def report_done(session: Session, what: str, document_ids: list[int]) -> None:
    """Say what was decided about which documents, and have it in the audit files at once."""
    try:
        publish(session.ledger, session.settings, at=Clock().now())
    except AuditError as fault:  # the decision stands in the ledger, and the next run exports it
        session.say(f"Warning: {fault}")
    if session.format == "json":
        session.show({what: document_ids})
    count = "1 document" if len(document_ids) == 1 else f"{len(document_ids)} documents"
    session.say(f"{count} {what}: {', '.join(map(str, document_ids)) or 'none'}.")


def _as_json(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "kind": document.kind,
        "status": document.status.value,
        "step": document.step.value,
        "company": document.company,
        "number": document.number,
        "vendor": document.vendor,
        "currency": document.currency,
        "amount": None if document.amount is None else plain_amount(document.amount, document.currency),
        "cono": document.cono,
        "divi": document.divi,
        "supplier": document.supplier,
        "payee": document.payee,
        "inbn": document.inbn,
        "voucher": document.voucher,
        "settled": document.settled,
        "other_id": document.other_id,
        "part_of": document.part_of,
        "crosswalk_version": document.crosswalk_version,
        "source_file": document.source_file,
        "source_line": document.source_line,
        "received_at": document.received_at,
        "updated_at": document.updated_at,
        "group": group_of_document(each["code"] for each in document.reasons),
        "reasons": [each | {"group": group_of(each["code"])} for each in document.reasons],
    }


def _history(event: events.Event) -> tuple[str, str]:
    return f"{shown_time(event.at)}\n{who(event)}", f"{event.action}\n{sentence(event)}"
