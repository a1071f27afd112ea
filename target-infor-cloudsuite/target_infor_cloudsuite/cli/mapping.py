"""Commands about the mapping: check, compare and approve versions; confirm matches by name, or revoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from stampli_infor_transforms.crosswalk_checks import check_crosswalks
from stampli_infor_transforms.crosswalks import Crosswalks

from target_infor_cloudsuite.alignment import kept_reference
from target_infor_cloudsuite.cli.documents import report_done
from target_infor_cloudsuite.cli.loading import load_reference
from target_infor_cloudsuite.cli.options import actor_and_reason, common
from target_infor_cloudsuite.cli.session import ExitCode, shown_time, table
from target_infor_cloudsuite.ledger import mappings
from target_infor_cloudsuite.mapping_control import approve as sign_version
from target_infor_cloudsuite.mapping_control import hints_of, short
from target_infor_cloudsuite.mapping_diff import differences
from target_infor_cloudsuite.posting import decisions
from target_infor_cloudsuite.posting.decisions import DecisionError
from target_infor_cloudsuite.setup import company_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.mappings import MappingVersion
    from target_infor_cloudsuite.mapping_diff import Difference

_DIRECTORY = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the crosswalks; without it the setting crosswalk_dir.",
)
_LEAST_PREFIX = 6


@click.group()
def mapping() -> None:
    """The crosswalks and rules: are they right, what would they change, who approved them."""


@mapping.command()
@common
@_DIRECTORY
def check(session: Session, directory: Path | None) -> None:
    """Read the crosswalks and hold every code that they lead to against M3. Exits with 3 when one lacks."""
    crosswalks = Crosswalks.load(directory or session.settings.crosswalk_dir)
    problems = check_crosswalks(crosswalks, load_reference(session, crosswalks))
    approval = _approval(session, crosswalks.version)
    session.show(
        {"version": crosswalks.version, "approval": approval, "problems": list(problems)},
        table(
            "Crosswalks",
            ("what", "value"),
            [("version", short(crosswalks.version)), ("approval", approval)],
            whole=("what",),
        ),
        table("What M3 does not have", ("where, and what",), [(each,) for each in problems], apart=True),
    )
    if problems:
        click.get_current_context().exit(ExitCode.NEEDS_A_PERSON)
    session.say("M3 has everything that the crosswalks lead to.")


@mapping.command()
@common
@click.argument("old")
@click.argument("new")
def diff(session: Session, old: str, new: str) -> None:
    """Show what documents would become by version NEW instead of OLD, the waiting and the past ones.

    Each is a directory, or a version that the ledger keeps. M3 is not asked: its reference data is the
    ledger's copy.
    """
    with session.ledger.read() as tx:
        before, after = _version(tx, old), _version(tx, new)
        numbers = {*company_numbers(session.settings, before), *company_numbers(session.settings, after)}
        reference = kept_reference(tx, sorted(numbers))
        if not reference.companies:
            raise DecisionError(
                "The ledger keeps no reference data of M3 yet: run `reference refresh` first."
            )
        found = list(
            differences(
                tx,
                before,
                after,
                reference=reference,
                policy=session.settings.policy,
                hints=hints_of(tx),
            )
        )
    changed = [each for each in found if each is not None]
    data = {
        "old": before.version,
        "new": after.version,
        "compared": len(found),
        "changed": [each.to_json() for each in changed],
    }
    session.show(data, *(_changes(title, rows) for title, rows in _sorted(changed) if rows))
    session.say(
        f"{short(before.version)} to {short(after.version)}: {len(changed)} of {len(found)} documents "
        f"change, {sum(each.past for each in changed)} of them past ones, which stay in M3 as they are."
    )


@mapping.command()
@common
@_DIRECTORY
@actor_and_reason
def approve(session: Session, *, directory: Path | None, actor: str, reason: str) -> None:
    """Sign a version of the crosswalks. It is approved when a second person has signed it too."""
    crosswalks = Crosswalks.load(directory or session.settings.crosswalk_dir)
    problems = check_crosswalks(crosswalks, load_reference(session, crosswalks))
    if problems:
        raise DecisionError(
            f"M3 does not have all that version {short(crosswalks.version)} leads to: {problems[0]} "
            f"`mapping check` lists {len(problems)} such rows."
        )
    with session.ledger.write() as tx:
        done = sign_version(tx, crosswalks, hand=session.hand(actor), why=reason)
    if session.format == "json":
        session.show({"version": crosswalks.version, "approval": _approval(session, crosswalks.version)})
    if done:
        session.say(f"Version {short(crosswalks.version)} is approved: the next run uses it.")
        return
    session.say(
        f"Version {short(crosswalks.version)} has {actor}'s signature. Another person has to run "
        "`mapping approve` before it is used."
    )
    click.get_current_context().exit(ExitCode.NEEDS_A_PERSON)


@mapping.command()
@common
@click.option(
    "--id", "document_ids", type=int, multiple=True, required=True, help="A document's number; repeatable."
)
@actor_and_reason
def confirm(session: Session, *, document_ids: tuple[int, ...], actor: str, reason: str) -> None:
    """Confirm that the supplier found by name is the vendor's, for this and all further documents of it."""
    with session.ledger.write() as tx:
        for document_id in document_ids:
            decisions.confirm(tx, document_id, hand=session.hand(actor), why=reason)
    report_done(session, "confirmed", list(document_ids))


@mapping.command()
@common
def confirmed(session: Session) -> None:
    """List the matches by name that are confirmed, each with the document that it was confirmed on."""
    with session.ledger.read() as tx:
        kept = mappings.confirmations_kept(tx)
    facts = [
        {
            "id": each.document_id,
            "cono": each.cono,
            "vendor": each.vendor,
            "supplier": each.supplier,
            "confirmed_by": each.confirmed_by,
            "confirmed_at": each.confirmed_at,
        }
        for each in kept
    ]
    rows = [
        (
            str(each.document_id or ""),
            str(each.cono),
            each.vendor,
            each.supplier,
            f"{each.confirmed_by}, {shown_time(each.confirmed_at)}",
        )
        for each in kept
    ]
    session.show(
        {"confirmed": facts},
        table(
            "Matches by name that people confirmed",
            ("id", "company", "vendor", "supplier", "by"),
            rows,
            whole=("id", "supplier"),
        ),
    )


@mapping.command()
@common
@click.option(
    "--id", "document_ids", type=int, multiple=True, required=True, help="A document's number; repeatable."
)
@actor_and_reason
def revoke(session: Session, *, document_ids: tuple[int, ...], actor: str, reason: str) -> None:
    """Take back a match by name, named by the document it was confirmed on. What is posted stays in M3."""
    with session.ledger.write() as tx:
        for document_id in document_ids:
            decisions.revoke(tx, document_id, hand=session.hand(actor), why=reason)
    report_done(session, "revoked", list(document_ids))


def _approval(session: Session, version: str) -> str:
    """Who signed a version, in words."""
    with session.ledger.read() as tx:
        found = mappings.version_named(tx, version)
    signed = found[0] if found else None
    if signed is None or not signed.proposed_by:
        return "nobody has signed it"
    if signed.approved_at is None:
        return f"proposed by {signed.proposed_by}; a second person has to approve it"
    return f"approved by {signed.proposed_by} and {signed.approved_by}"


def _version(tx: Tx, name: str) -> Crosswalks:
    """The crosswalks of a directory, or of a version that the ledger keeps."""
    if Path(name).is_dir():
        return Crosswalks.load(Path(name))
    found: Sequence[MappingVersion] = []
    if len(name) >= _LEAST_PREFIX:
        found = mappings.version_named(tx, name.lower())
    if len(found) == 1:
        return Crosswalks.parse(found[0].content)
    why = (
        f"{len(found)} versions that the ledger keeps begin so"
        if found
        else "the ledger keeps no such version"
    )
    raise click.UsageError(
        f"'{name}' is no directory, and {why}. Give a directory, or at least {_LEAST_PREFIX} characters of a "
        "version."
    )


def _sorted(changed: Sequence[Difference]) -> list[tuple[str, list[Difference]]]:
    return [
        ("Open documents", [each for each in changed if not each.past]),
        ("Past documents: they stay in M3 as they are", [each for each in changed if each.past]),
    ]


def _changes(title: str, rows: Sequence[Difference]) -> Any:
    cells = [
        (
            str(each.document.id),
            f"{each.document.kind} {each.document.number}\n{each.document.status.value}",
            "\n".join(
                f"{one.field}: {one.old or '(nothing)'} -> {one.new or '(nothing)'}" for one in each.changes
            ),
        )
        for each in rows
    ]
    return table(
        title, ("id", "document", "what changes"), cells, whole=("id",), apart=True, narrow=("document",)
    )
