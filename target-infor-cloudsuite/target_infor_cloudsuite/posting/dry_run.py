"""A dry run: the whole way up to M3's door on a copy of the ledger, shown and forgotten.

It takes records in and resolves as a run does, so what it says of copies, revisions and near duplicates is
what a run would do; it sends nothing, so a payment still waits for invoices that the same run would post.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ledger import documents, events
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.posting import invoices, payments
from target_infor_cloudsuite.posting.run import resolve_all
from target_infor_cloudsuite.posting.sheets import Sheet
from target_infor_cloudsuite.posting.statements import bank_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

_log = logging.getLogger(__name__)

_UNKNOWN_INBN = "(the INBN that AddHead answers)"


class DryRun:
    """One dry run. ``ledger`` is the copy that it works on, gone when it is closed."""

    def __init__(self, ledger: Ledger) -> None:
        self._folder = TemporaryDirectory(prefix="dry-run-")
        self.ledger = ledger.copied_to(f"{self._folder.name}/ledger.db")

    def close(self) -> None:
        """Forget all of it."""
        self.ledger.close()
        self._folder.cleanup()

    def show(self, context: Context, output_dir: Path) -> Path:
        """Write one JSON line a document into ``dry-run/<run>.jsonl``, and what would open a statement.

        Args:
            context: of this run, on the copy.
            output_dir: the folder of all that comes out.

        Returns:
            The file's path.
        """
        resolve_all(context)
        with context.ledger.read() as tx:
            found = documents.seen_by(tx, context.run_id)
        path = output_dir / "dry-run" / f"{context.run_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for shown in _all_shown(context, found):
                file.write(canonical_json(shown) + "\n")
                _log.info("Dry run: %s.", _in_words(shown))
        _log.info(
            "Dry run: %d documents; nothing was written to M3. What would be sent: %s", len(found), path
        )
        return path


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A statement that would be opened.

    Attributes:
        number: ours; '' where it cannot be opened.
        around: what opens and closes it.
        of_payment: what of it is each payment's, by document id.
        problem: why it cannot be opened; then its payments would be held for it.
    """

    number: str = ""
    around: Sequence[dict[str, Any]] = ()
    of_payment: Mapping[int, Sequence[dict[str, Any]]] = field(default_factory=dict)
    problem: Reason | None = None


def _all_shown(context: Context, found: Sequence[Document]) -> Iterator[dict[str, Any]]:
    ready = [each for each in found if each.status is Status.READY]
    paying = [payments.work_on(context, each) for each in ready if each.kind == "payment"]
    sheets = list(_sheets(context, paying))
    sheet_of = {key: sheet for sheet in sheets for key in sheet.of_payment}
    for document in found:
        sheet = sheet_of.get(document.id)
        if document.status is not Status.READY:
            yield _shown(document) | _why(context, document)
        elif sheet is None:
            yield _sent(document, _of_invoice(context, document))
        elif sheet.problem is None:
            yield _sent(document, sheet.of_payment[document.id])
        else:
            yield _shown(document, Status.REVIEW) | {"reasons": [sheet.problem.to_json()]}
    for sheet in sheets:
        if sheet.problem is None:
            yield {
                "kind": "statement",
                "number": sheet.number,
                "source_key": None,
                "would_be": "validated",
                "transactions": sheet.around,
            }


def _sent(document: Document, transactions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return _shown(document, Status.POSTED) | {"document": document.mapped, "transactions": transactions}


def _shown(document: Document, would_be: Status | None = None) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "number": document.number,
        "source_key": document.source_key,
        "would_be": (would_be or document.status).value,
    }


def _why(context: Context, document: Document) -> dict[str, Any]:
    with context.ledger.read() as tx:
        told = events.of_document(tx, document.id)
    why = next((str(each.details["why"]) for each in reversed(told) if each.details.get("why")), "")
    return {"reasons": document.reasons, "why": why}


def _of_invoice(context: Context, document: Document) -> list[dict[str, Any]]:
    work = invoices.work_on(context, document)
    invoice, company = work.invoice, work.company
    program, catalog = company.program, company.catalog
    sent = [(program.name, program.head(invoice, cori="(a new UUID)", catalog=catalog))]
    sent += [
        (program.name, program.line(line, inbn=_UNKNOWN_INBN, divi=invoice.divi, catalog=catalog))
        for line in invoice.lines
    ]
    if program.commit_program:
        sent.append((program.commit_program, program.commit(inbn=_UNKNOWN_INBN, divi=invoice.divi)))
    return [_as_json(name, each, invoice.cono) for name, each in sent]


def _sheets(context: Context, works: Sequence[Work]) -> Iterator[_Sheet]:
    for (cono, divi, bank, currency), group in payments.by_statement(works).items():
        road = context.companies[cono].road
        statement_type, problem = bank_of(context, road, cono=cono, divi=divi, bank=bank)
        if problem:
            held = reason("bank_not_set_up", "bank_account", problem)
            yield _Sheet(of_payment={each.document.id: () for each in group}, problem=held)
            continue
        with context.ledger.write() as tx:
            opened = ledger_payments.open_statement(
                tx, hand=context.hand, cono=cono, divi=divi, bank=bank, currency=currency
            )
        head = road.head(opened, statement_type=statement_type)
        unknown: dict[str, str] = defaultdict(partial(str, f"(as {head.name} answers)"))
        statement = replace(opened, statement_key=road.key_of(unknown))
        for number, work in enumerate(group, start=1):
            work.document = replace(work.document, statement_line=number)
        of_payment: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for letter in payments.letters_of(Sheet(statement, group, road)):
            of_payment[letter.work.document.id].append(_as_json(road.name, letter.transaction, cono))
        check = road.check(statement)
        around = [head, *([check] if check else []), road.close(statement)]
        yield _Sheet(statement.number, [_as_json(road.name, each, cono) for each in around], of_payment)


def _as_json(program: str, transaction: Transaction, cono: int) -> dict[str, Any]:
    return {
        "program": program,
        "transaction": transaction.name,
        "cono": cono,
        "record": dict(transaction.record),
    }


def _in_words(shown: dict[str, Any]) -> str:
    """One line of the log; what stands in the documents stays in the file."""
    told = f"{shown['kind']} {shown['number'] or shown['source_key']} would be {shown['would_be']}"
    if sent := [each["transaction"] for each in shown.get("transactions", ())]:
        counted = {name: sent.count(name) for name in dict.fromkeys(sent)}
        return f"{told}: {', '.join(f'{name} {count}' for name, count in counted.items())}"
    held = ", ".join(each["code"] for each in shown.get("reasons", ()))
    return f"{told} ({held})" if held else told
