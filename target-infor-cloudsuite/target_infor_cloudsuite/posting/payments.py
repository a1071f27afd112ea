"""Payments into M3: one sheet for each bank, currency and run; nothing books before it is closed.

A sheet's lines and details are numbered by us, so a repeat of one whose answer was lost is told apart by M3
itself (XRE0104).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from stampli_infor_transforms.documents import AccountingPayment

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger.attempts import OPEN, AttemptOutcome
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting.answered import refusal
from target_infor_cloudsuite.posting.letters import Letter, Outbox, send
from target_infor_cloudsuite.posting.paid import settlement_of
from target_infor_cloudsuite.posting.sheets import REPEATS, Sheet, leave_in_doubt, refuse, start_over
from target_infor_cloudsuite.posting.statements import open_statement
from target_infor_cloudsuite.posting.validation import validate
from target_infor_cloudsuite.posting.work import Work
from target_infor_cloudsuite.programs import road_named
from target_infor_cloudsuite.programs.payment_road import Detail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.attempts import Attempt
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context

_log = logging.getLogger(__name__)

#: M3's answer to a line or detail that is in already: the repeat of one whose answer was lost.
_ALREADY_THERE = "XRE0104"


def work_on(context: Context, document: Document) -> Work:
    """A claimed payment that may go on to M3."""
    payment = AccountingPayment.from_json(document.mapped or {})
    company = context.companies[payment.cono]
    begun = document.status is not Status.READY and document.program not in {"", company.road.name}
    if begun:  # a sheet is closed by the program that opened it, whatever the settings say by now
        company = replace(company, road=road_named(document.program, context.settings))
    return Work(document, payment, company)


def post(context: Context, works: Sequence[Work]) -> None:
    """Take ready payments to M3 on new statements, one for each company, bank and currency."""
    for (cono, divi, bank, currency), group in by_statement(works).items():
        try:
            _post_group(context, group, cono=cono, divi=divi, bank=bank, currency=currency)
        except ClaimLost as lost:
            _log.warning("%s Its bank statement is not validated by this run.", lost)


def by_statement(works: Sequence[Work]) -> dict[tuple[int, str, str, str], list[Work]]:
    """Payments that share a statement: by company, division, bank and currency, in that order."""
    groups: dict[tuple[int, str, str, str], list[Work]] = defaultdict(list)
    for work in works:
        payment = work.payment
        groups[payment.cono, payment.divi, payment.bank, payment.currency].append(work)
    return dict(sorted(groups.items(), key=lambda item: item[0]))


def letters_of(sheet: Sheet) -> list[Letter]:
    """All lines and details of a sheet whose payments have their places on it."""
    return [*_lines(sheet), *_details(sheet)]


def _post_group(  # noqa: PLR0913 - a statement is of all these
    context: Context, group: list[Work], *, cono: int, divi: str, bank: str, currency: str
) -> None:
    """Post one group; when M3 refuses one payment, the others start over on a statement of their own."""
    alone: list[list[Work]] = [group]
    while alone:
        works = alone.pop()
        road = context.companies[cono].road
        statement = open_statement(context, road, works, cono=cono, divi=divi, bank=bank, currency=currency)
        if statement is None or carry(context, Sheet(statement, works, road)):
            continue
        left = [work for work in works if work.document.status is Status.READY and not work.lost]
        if left and len(left) == len(works) > 1:
            alone += [[work] for work in left]  # refused as a whole: find out whose fault it is
        elif left and len(left) < len(works):
            alone.append(left)


def carry(context: Context, sheet: Sheet) -> bool:
    """Bring a statement's lines, details and validation in.

    Returns:
        Whether nothing is left to do with its payments now; otherwise those that are ready may go on another.

    Raises:
        ClaimLost: Another worker holds one of the payments; nothing was validated.
    """
    _attach(context, sheet)
    for letters in (_lines, _details):
        for _ in range(REPEATS):
            missing = _not_in(context, sheet, letters(sheet))
            if not missing or _refused(sheet):
                break
            send(
                context,
                Outbox(missing),
                cono=sheet.statement.cono,
                program=sheet.road.name,
                statement_id=sheet.statement.id,
                on_answer=lambda tx, letter, answer: _take_answer(context, tx, sheet, letter, answer),
            )
        for work in sheet.works:
            if work.lost:
                raise ClaimLost(f"{work.document.label} is no longer held by this worker.")
        if _refused(sheet):
            with context.ledger.write() as tx:
                start_over(context, tx, sheet, why="M3 refused one of its payments")
            return False
        if _not_in(context, sheet, letters(sheet)):
            leave_in_doubt(context, sheet)
            return True
    return validate(context, sheet)


def _attach(context: Context, sheet: Sheet) -> None:
    with context.ledger.write() as tx:
        for number, work in enumerate(sheet.works, start=1):
            if work.document.status is Status.READY:
                work.move(
                    context,
                    tx,
                    Status.POSTING,
                    step=Step.STATEMENT.value,
                    program=sheet.road.name,
                    statement_id=sheet.statement.id,
                    statement_line=number,
                )
            elif work.document.step is not Step.STATEMENT:
                work.progress(context, tx, step=Step.STATEMENT.value)


def _refused(sheet: Sheet) -> bool:
    return any(work.document.status is Status.FAILED for work in sheet.works)


def _lines(sheet: Sheet) -> list[Letter]:
    return [
        Letter(work, transaction, Step.STATEMENT, position)
        for work in sheet.works
        for transaction, position in sheet.road.lines(
            sheet.statement, work.payment, number=work.document.statement_line or 0
        )
    ]


def _details(sheet: Sheet) -> list[Letter]:
    found = []
    for work in sheet.works:
        details = [
            Detail(
                line=work.document.statement_line or 0,
                number=number,
                divi=invoice.divi,
                invoice=invoice.number,
                year=invoice.year,
                amount=invoice.amount,
            )
            for number, invoice in enumerate(settlement_of(work).invoices, start=1)
        ]
        placed = sheet.road.details(sheet.statement, work.payment, details)
        found += [Letter(work, transaction, Step.STATEMENT, position) for transaction, position in placed]
    return found


def _not_in(context: Context, sheet: Sheet, letters: Sequence[Letter]) -> list[Letter]:
    """Those letters that M3 has not confirmed yet."""
    with context.ledger.read() as tx:
        known = attempts.of_statement(tx, sheet.statement.id)
    confirmed = {
        (each.document_id, each.transaction_name, each.position)
        for each in known
        if each.outcome is AttemptOutcome.DONE
    }
    return [
        each
        for each in letters
        if (each.work.document.id, each.transaction.name, each.position) not in confirmed
    ]


def _take_answer(context: Context, tx: Tx, sheet: Sheet, letter: Letter, answer: Answer) -> None:
    doubted = _doubted(tx, sheet, letter)
    if answer.outcome is Outcome.DONE:
        # M3 took the repeat as new, so what was lost before did not happen.
        taken = "a later one was taken as new"
        attempts.decide(tx, doubted, AttemptOutcome.ABSENT, at=context.clock.now(), looked=taken)
        return
    if answer.outcome is not Outcome.REFUSED or answer.error is None:
        return
    if answer.error.code == _ALREADY_THERE and doubted:
        # The repeat of one whose answer was lost: M3 says that it has this number of ours already.
        attempts.decide(tx, doubted, AttemptOutcome.DONE, at=context.clock.now(), looked=_ALREADY_THERE)
        return
    if letter.work.document.status is Status.POSTING:
        nok = refusal(sheet.road.name, letter.transaction.name, answer, position=letter.position)
        refuse(context, tx, letter.work, nok)


def _doubted(tx: Tx, sheet: Sheet, letter: Letter) -> list[Attempt]:
    """Earlier sendings of a letter on this statement that may have happened."""
    return [
        each
        for each in attempts.of_statement(tx, sheet.statement.id)
        if each.outcome in OPEN
        and each.document_id == letter.work.document.id
        and each.transaction_name == letter.transaction.name
        and each.position == letter.position
    ]
