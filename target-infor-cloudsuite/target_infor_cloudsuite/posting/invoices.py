"""Invoices into M3: heads, lines, commit, and what M3 then says it holds; many documents a request.

A document never waits half-posted for others: a group's heads are followed by their lines at once.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger.attempts import AttemptOutcome
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting.already_there import NOT_THERE
from target_infor_cloudsuite.posting.letters import Letter, Work, refusal, send
from target_infor_cloudsuite.programs.invoice_batch import LIST_LIMIT, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stampli_infor_transforms.documents import AccountingLine

    from target_infor_cloudsuite.ion.answers import Answer, Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram, LineSignature

_log = logging.getLogger(__name__)

#: M3 posts a submitted batch some time later. It is asked again after these pauses, then by the next run.
_POLL_SECONDS = (0.2, 0.5, 1, 2, 4, 8, 15, 30, 30, 30)


def work_on(context: Context, document: Document) -> Work:
    """A claimed invoice that may go on to M3, from wherever it stands."""
    invoice = AccountingInvoice.from_json(document.mapped or {})
    work = Work(document, invoice, context.companies[invoice.cono])
    with context.ledger.read() as tx:
        known = attempts.of_document(tx, document.id, step=Step.LINES, cori=document.cori)
    work.lines_in = {each.position for each in known if each.outcome is AttemptOutcome.DONE}
    return work


def advance(context: Context, works: Sequence[Work]) -> None:
    """Take invoices as far as they will go: posted, failed, review, in doubt, or left where M3 is still at work."""
    _send_heads(context, [work for work in works if work.document.step in {Step.NONE, Step.HEAD}])
    _send_lines(context, _at(works, Step.LINES))
    _commit(context, _at(works, Step.COMMIT))
    _read_back(context, _at(works, Step.READ_BACK))
    _withdraw(context, _at(works, Step.WITHDRAW))


def _at(works: Iterable[Work], step: Step) -> list[Work]:
    return [
        work
        for work in works
        if work.document.status is Status.POSTING and work.document.step is step and not work.lost
    ]


def invoice_of(work: Work) -> AccountingInvoice:
    """The invoice of a work that holds one."""
    if not isinstance(work.mapped, AccountingInvoice):
        raise TypeError(f"{work.document.label} is no invoice.")
    return work.mapped


# -- heads -----------------------------------------------------------------------------------------------------------


def _send_heads(context: Context, works: Sequence[Work]) -> None:
    for program in sorted({work.company.program.name for work in works}):
        letters = []
        for work in works:
            if work.company.program.name != program:
                continue
            # A re-send keeps its correlation id, so that both would be known as one and the same.
            cori = work.document.cori if work.document.step is Step.HEAD else str(uuid.uuid4())
            work.document = replace(work.document, cori=cori)
            head = work.company.program.head(invoice_of(work), cori=cori, catalog=work.company.catalog)
            letters.append(Letter(work, head))

        def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
            work = letter.work
            inbn = answer.records[0].get("INBN", "") if answer.records else ""
            if answer.outcome is Outcome.DONE and inbn:
                work.progress(context, tx, step=Step.LINES.value, inbn=inbn)
            elif answer.outcome is Outcome.REFUSED:
                nok = refusal(program, "AddHead", answer)  # noqa: B023 - called before the next turn of the loop
                work.move(context, tx, Status.FAILED, why=nok["text"], reasons=[nok], step=Step.NONE.value)
            elif answer.outcome is Outcome.NOT_RUN:
                work.move(context, tx, Status.READY, why=answer.detail)
            else:
                work.move(context, tx, Status.IN_DOUBT, why=answer.detail or "AddHead answered no INBN")

        send(context, program=program, step=Step.HEAD, letters=letters, on_answer=on_answer)


# -- lines -----------------------------------------------------------------------------------------------------------


def waves(work: Work) -> list[list[int]]:
    """The lines that are not in yet, as groups that may travel together, each a list of positions from 1.

    A program without a commit posts a batch as soon as its lines come to its total. So what takes from the total goes
    in first: after that the sum only grows, and meets the total at the last line and never before.
    """
    invoice, program = invoice_of(work), work.company.program
    left = [
        (position, line)
        for position, line in enumerate(invoice.lines, start=1)
        if position not in work.lines_in
    ]
    if program.commit_program:
        return _apart(program, left)
    taking = [each for each in left if each[1].amount * invoice.total < 0]
    adding = [each for each in left if each[1].amount * invoice.total >= 0]
    return _apart(program, taking) + _apart(program, adding)


def _apart(program: InvoiceBatchProgram, lines: Sequence[tuple[int, AccountingLine]]) -> list[list[int]]:
    """Lines that LstLines shows alike and that are coded differently, kept out of each other's request.

    LstLines tells no accounting dimensions. After a lost answer its list can so tell which of the lines are in.
    """
    groups: list[dict[LineSignature, tuple[Any, ...]]] = []
    positions: list[list[int]] = []
    for position, line in lines:
        signature, coding = program.signature(line), (line.ait, line.text)
        for group, members in zip(groups, positions, strict=True):
            if group.setdefault(signature, coding) == coding:
                members.append(position)
                break
        else:
            groups.append({signature: coding})
            positions.append([position])
    return positions


def _send_lines(context: Context, works: Sequence[Work]) -> None:
    pending = list(works)
    while pending := [work for work in pending if _continues(context, work)]:
        for program in sorted({work.company.program.name for work in pending}):
            letters = [
                Letter(work, _line(work, position), position)
                for work in pending
                if work.company.program.name == program
                for position in waves(work)[0]
            ]

            def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
                _take_line_answer(context, tx, letter, answer)

            send(context, program=program, step=Step.LINES, letters=letters, on_answer=on_answer)
        # A line that was not run ends the turn: whatever kept it away keeps the others away too.
        pending = [
            work for work in pending if work.document.step is Step.LINES and not _has_unsent(context, work)
        ]


def _continues(context: Context, work: Work) -> bool:
    """Whether the document has lines to send; one whose lines are all in takes its next step here."""
    if work.lost or work.document.status is not Status.POSTING or work.document.step is not Step.LINES:
        return False
    if len(work.lines_in) < len(invoice_of(work).lines):
        return True
    following = Step.COMMIT if work.company.program.commit_program else Step.READ_BACK
    with context.ledger.write() as tx:
        work.progress(context, tx, step=following.value)
    return False


def _line(work: Work, position: int) -> Transaction:
    invoice = invoice_of(work)
    return work.company.program.line(
        invoice.lines[position - 1],
        inbn=work.document.inbn,
        divi=invoice.divi,
        catalog=work.company.catalog,
    )


def _take_line_answer(context: Context, tx: Tx, letter: Letter, answer: Answer) -> None:
    work = letter.work
    if answer.outcome is Outcome.DONE:
        work.lines_in.add(letter.position)
    elif answer.outcome is Outcome.REFUSED and work.document.status is Status.POSTING:
        nok = refusal(work.company.program.name, "AddLine", answer, position=letter.position)
        if work.document.step is not Step.WITHDRAW:
            work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[nok])
    elif answer.outcome is Outcome.IN_DOUBT and work.document.status is Status.POSTING:
        work.move(context, tx, Status.IN_DOUBT, why=answer.detail, step=Step.LINES.value)


def _has_unsent(context: Context, work: Work) -> bool:
    with context.ledger.read() as tx:
        known = attempts.of_document(tx, work.document.id, step=Step.LINES, cori=work.document.cori)
    latest = attempts.latest_by_position(known)
    return any(each.outcome is AttemptOutcome.NOT_RUN for each in latest.values())


# -- commit ----------------------------------------------------------------------------------------------------------


def _commit(context: Context, works: Sequence[Work]) -> None:
    """Look once more at what stands in M3, then let it validate and post. A twin is never committed."""
    sound = [
        work for work, what in zip(works, look_at(context, works), strict=True) if _sound(context, work, what)
    ]
    for commit_program in sorted({work.company.program.commit_program for work in sound}):
        letters = [
            Letter(
                work,
                work.company.program.commit(inbn=work.document.inbn, divi=invoice_of(work).divi),
            )
            for work in sound
            if work.company.program.commit_program == commit_program
        ]

        def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
            work = letter.work
            if answer.outcome is Outcome.DONE:
                work.progress(context, tx, step=Step.READ_BACK.value)
            elif answer.outcome is Outcome.REFUSED:
                nok = refusal(commit_program, "ValidByBatchNo", answer)  # noqa: B023 - called before the next turn
                work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[nok])
            elif answer.outcome is Outcome.IN_DOUBT:
                work.move(context, tx, Status.IN_DOUBT, why=answer.detail)

        send(context, program=commit_program, step=Step.COMMIT, letters=letters, on_answer=on_answer)


class Seen:
    """What M3 shows of one batch: its head, its lines, and which other batches stand under the same number."""

    def __init__(self, head: Answer, lines: Answer, batches: Answer) -> None:
        self.head = head.records[0] if head.records else None
        self.lines = lines.records
        self.batches = [record.get("INBN", "") for record in batches.records]
        self.truncated = len(batches.records) >= LIST_LIMIT
        self.refused = next((str(a.error) for a in (head, lines) if a.outcome is Outcome.REFUSED), "")


def look_at(context: Context, works: Sequence[Work]) -> list[Seen]:
    """Head, lines and neighbours of each document's batch, in bulk."""
    found: dict[int, Seen] = {}
    for cono in sorted({work.company.cono for work in works}):
        own = [work for work in works if work.company.cono == cono]
        program = own[0].company.program
        questions: list[Transaction] = []
        for work in own:
            invoice, inbn = invoice_of(work), work.document.inbn
            questions += [
                program.get_head(inbn=inbn, divi=invoice.divi),
                program.list_lines(inbn=inbn, divi=invoice.divi),
                program.batches_of(
                    payee=invoice.payee, supplier=invoice.supplier, number=invoice.number, divi=invoice.divi
                ),
            ]
        answers = context.gateway.read(program.name, questions, cono=cono)
        for index, work in enumerate(own):
            found[work.document.id] = Seen(*answers[3 * index : 3 * index + 3])
    return [found[work.document.id] for work in works]


def _sound(context: Context, work: Work, seen: Seen) -> bool:
    """Whether a batch holds exactly what was sent; what does not goes to review with the evidence."""
    program, invoice = work.company.program, invoice_of(work)
    wanted = Counter(program.signature(line) for line in invoice.lines)
    held = program.held_signatures(seen.lines)
    if seen.head is not None and wanted == held:
        others = [inbn for inbn in seen.batches if inbn != work.document.inbn]
        if others:
            with context.ledger.write() as tx:
                note = f"M3 also holds batch {', '.join(others)} under this number; it is not committed."
                work.progress(context, tx, notes=[*work.document.notes, note])
        return True
    extra, lacking = sum((held - wanted).values()), sum((wanted - held).values())
    what = seen.refused or f"{extra} lines more and {lacking} lines fewer than were sent"
    text = (
        f"Batch {work.document.inbn} does not hold what was sent: {what}. "
        "It is not posted; delete it in APS450, then replay."
    )
    held_for = reason("open_batch_in_m3", "lines", text)
    with context.ledger.write() as tx:
        work.move(context, tx, Status.REVIEW, why=text, reasons=[held_for.to_json()], step=Step.NONE.value)
    return False


# -- reading back ----------------------------------------------------------------------------------------------------


def _read_back(context: Context, works: Sequence[Work]) -> None:
    """Ask M3 what it holds until each document is posted or refused; what stays pending is the next run's."""
    pending = list(works)
    for pause in (0.0, *_POLL_SECONDS):
        if not pending:
            return
        if pause:
            context.clock.sleep(pause)
            context.renew_claims()
        seen = look_at(context, pending)
        pending = [
            work for work, what in zip(pending, seen, strict=True) if not _concluded(context, work, what)
        ]
    for work in pending:
        _log.warning(
            "%s: M3 has all of batch %s and has not posted it yet; the next run asks again.",
            work.document.label,
            work.document.inbn,
        )


def _concluded(context: Context, work: Work, seen: Seen) -> bool:
    program, invoice = work.company.program, invoice_of(work)
    verdict = Verdict.PENDING if seen.head is None else program.verdict(seen.head)
    if seen.head is None or verdict is Verdict.PENDING:
        return False
    if verdict is Verdict.REFUSED:
        with context.ledger.write() as tx:
            work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[_batch_errors(work, seen)])
        return True
    wanted = Counter(program.signature(line) for line in invoice.lines)
    if (
        wanted != program.held_signatures(seen.lines)
        or program.line_total(seen.head, seen.lines) != invoice.total
    ):
        text = (
            f"M3 posted batch {work.document.inbn}, but what it holds is not what was sent: lines and tax come to "
            f"{program.line_total(seen.head, seen.lines)} of {invoice.total} {invoice.currency}. Compare it in APS200."
        )
        held_for = reason("in_doubt_unresolved", "lines", text)
        with context.ledger.write() as tx:
            work.move(context, tx, Status.REVIEW, why=text, reasons=[held_for.to_json()])
        return True
    voucher = " ".join(seen.head.get(name, "") for name in ("VSER", "VONO", "YEA4")).strip()
    with context.ledger.write() as tx:
        work.move(
            context,
            tx,
            Status.POSTED,
            step=Step.NONE.value,
            voucher=voucher,
            reasons=[],
            why=f"read back: batch {work.document.inbn}, {len(invoice.lines)} lines, {invoice.total} {invoice.currency}",
        )
    return True


def _batch_errors(work: Work, seen: Seen) -> dict[str, Any]:
    head = seen.head or {}
    lines = [
        record.get("TRNO", "") for record in seen.lines if record.get("IBLE", "").strip() not in {"", "0"}
    ]
    where = f", on lines {', '.join(lines)}" if lines else ""
    return {
        "code": f"SUPA{head.get('SUPA', '')}",
        "field": "",
        "text": f"M3 refused batch {work.document.inbn} (SUPA {head.get('SUPA', '')}, head errors "
        f"{head.get('IBHE', '') or '0'}, line errors {head.get('IBLE', '') or '0'}{where}). Look at it in APS450.",
        "suggestions": [],
        "releasable": False,
    }


# -- withdrawing -----------------------------------------------------------------------------------------------------


def _withdraw(context: Context, works: Sequence[Work]) -> None:
    """Delete batches that M3 will not take; where it cannot be done, the document says what a person must delete."""
    able = [work for work in works if work.company.program.can_withdraw(work.company.catalog)]
    for work in works:
        if work not in able:
            with context.ledger.write() as tx:
                _fail(context, tx, work, deleted=False)
    for program in sorted({work.company.program.name for work in able}):
        letters = [
            Letter(work, work.company.program.withdraw(inbn=work.document.inbn, divi=invoice_of(work).divi))
            for work in able
            if work.company.program.name == program
        ]

        def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
            gone = answer.error is not None and answer.error.code == NOT_THERE
            _fail(context, tx, letter.work, deleted=gone or answer.outcome is Outcome.DONE)

        send(context, program=program, step=Step.WITHDRAW, letters=letters, on_answer=on_answer)


def _fail(context: Context, tx: Tx, work: Work, *, deleted: bool) -> None:
    reasons = list(work.document.reasons)
    changes: dict[str, Any] = {"inbn": ""} if deleted else {}
    if not deleted:
        text = f"Batch {work.document.inbn} was left unfinished in M3: delete it in APS450, then replay."
        reasons.append(reason("open_batch_in_m3", "", text).to_json())
    why = "; ".join(each["text"] for each in reasons)
    work.move(context, tx, Status.FAILED, why=why, reasons=reasons, step=Step.NONE.value, **changes)
