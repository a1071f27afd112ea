"""The end of an invoice's way: the commit where there is one, what M3 then holds, or the withdrawal."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting.already_there import NOT_THERE
from target_infor_cloudsuite.posting.answered import refusal
from target_infor_cloudsuite.posting.batches import (
    by_program,
    look_at,
    others_under_number,
    read_heads,
    with_lines,
)
from target_infor_cloudsuite.posting.letters import Letter, Outbox, send
from target_infor_cloudsuite.programs.invoice_batch import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.posting.batches import Seen
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

_log = logging.getLogger(__name__)

#: M3 may post what it has at night. What it has not posted after this long is shown to a person.
_PATIENCE = timedelta(days=1)


# -- commit ----------------------------------------------------------------------------------------------


def commit(context: Context, works: Sequence[Work]) -> None:
    """Look once more at what stands in M3, then let it validate and post. A twin is never committed."""
    others = others_under_number(context, works)
    seen = look_at(context, works)
    sound = [
        work
        for work, what in zip(works, seen, strict=True)
        if _is_sound(context, work, what, others[work.document.id])
    ]
    for group in by_program(sound):
        company, program = group[0].company, group[0].company.program
        outbox = Outbox(
            Letter(work, program.commit(inbn=work.document.inbn, divi=work.invoice.divi), Step.COMMIT)
            for work in group
        )

        def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
            _take_commit_answer(context, tx, letter.work, answer)

        send(context, outbox, cono=company.cono, program=program.commit_program, on_answer=on_answer)


def _take_commit_answer(context: Context, tx: Tx, work: Work, answer: Answer) -> None:
    if answer.outcome is Outcome.DONE:
        work.progress(context, tx, step=Step.READ_BACK.value)
    elif answer.outcome is Outcome.REFUSED:
        nok = refusal(work.company.program.commit_program, "ValidByBatchNo", answer)
        work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[nok])
    elif answer.outcome is Outcome.IN_DOUBT:
        work.move(context, tx, Status.IN_DOUBT, why=answer.detail)


def _is_sound(context: Context, work: Work, seen: Seen, others: Sequence[str]) -> bool:
    """Whether a batch holds exactly what was sent; what does not goes to review with the evidence."""
    program = work.company.program
    wanted = Counter(program.signature(line) for line in work.invoice.lines)
    held = program.held_signatures(seen.lines)
    if seen.head is not None and wanted == held:
        note = f"M3 also holds batch {', '.join(others)} under this number; it is not committed."
        if others and note not in work.document.notes:
            with work.change(context) as tx:
                work.progress(context, tx, notes=[*work.document.notes, note])
        return not work.lost
    extra, lacking = (held - wanted).total(), (wanted - held).total()
    what = seen.refused or f"{extra} lines more and {lacking} lines fewer than were sent"
    text = (
        f"Batch {work.document.inbn} does not hold what was sent: {what}. "
        "It is not posted; delete it in APS450, then replay."
    )
    _hold(context, work, "open_batch_in_m3", text)
    return False


# -- reading back ----------------------------------------------------------------------------------------


def read_back(context: Context, works: Sequence[Work]) -> list[Work]:
    """Ask M3 once what it holds: posted, to be withdrawn, or still at work; the last are returned."""
    heads = read_heads(context, works)
    decided: list[Work] = []
    pending: list[Work] = []
    for work in works:
        records = heads[work.document.id].records
        verdict = work.company.program.verdict(records[0]) if records else Verdict.PENDING
        (pending if verdict is Verdict.PENDING else decided).append(work)
    seen = with_lines(context, decided, heads)
    if decided:
        with context.ledger.write() as tx:
            for work, what in zip(decided, seen, strict=True):
                with work.part_of(tx):
                    _conclude(context, tx, work, what)
    return pending


def give_up(context: Context, works: Sequence[Work]) -> None:
    """What M3 has not posted yet is left to the next run, and after a day shown to a person."""
    for work in works:
        document = work.document
        if context.clock.now() - document.updated_at < _PATIENCE:
            _log.warning(
                "%s: M3 has all of batch %s and has not posted it yet; the next run asks again.",
                document.label,
                document.inbn,
            )
            continue
        text = (
            f"M3 has had all of batch {document.inbn} since {document.updated_at:%Y-%m-%d %H:%M} UTC "
            "and has not posted it. Look at it in APS450: post it there, or delete it and replay."
        )
        _hold(context, work, "open_batch_in_m3", text)


def _conclude(context: Context, tx: Tx, work: Work, seen: Seen) -> None:
    program, invoice, document = work.company.program, work.invoice, work.document
    if seen.head is None:
        return
    if program.verdict(seen.head) is Verdict.REFUSED:
        work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[_batch_errors(work, seen)])
        return
    wanted = Counter(program.signature(line) for line in invoice.lines)
    total = program.line_total(seen.head, seen.lines)
    if seen.refused or wanted != program.held_signatures(seen.lines) or total != invoice.total:
        what = seen.refused or f"lines and tax come to {total} of {invoice.total} {invoice.currency}"
        text = (
            f"M3 posted batch {document.inbn}, but what it holds is not what was sent: {what}, "
            f"{len(seen.lines)} of {len(invoice.lines)} lines. Compare it in APS200."
        )
        work.hold(context, tx, reason("in_doubt_unresolved", "lines", text))
        return
    what = f"{len(invoice.lines)} lines, {invoice.total} {invoice.currency}"
    work.move(
        context,
        tx,
        Status.POSTED,
        step=Step.NONE.value,
        voucher=" ".join(seen.head.get(name, "") for name in ("VSER", "VONO", "YEA4")).strip(),
        reasons=[],
        why=f"read back: batch {document.inbn}, {what}",
    )


def _hold(context: Context, work: Work, code: str, text: str) -> None:
    with work.change(context) as tx:
        work.hold(context, tx, reason(code, "lines", text))


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
        f"{head.get('IBHE', '') or '0'}, line errors {head.get('IBLE', '') or '0'}{where}). "
        "Look at it in APS450.",
        "suggestions": [],
        "releasable": False,
    }


# -- withdrawing -----------------------------------------------------------------------------------------


def withdraw(context: Context, works: Sequence[Work]) -> None:
    """Delete batches that M3 will not take; what cannot be deleted is named for a person."""
    able = [work for work in works if work.company.program.can_withdraw(work.company.catalog)]
    for work in works:
        if work not in able:
            with work.change(context) as tx:
                _fail(context, tx, work, deleted=False)
    for group in by_program(able):
        company, program = group[0].company, group[0].company.program
        outbox = Outbox(
            Letter(work, program.withdraw(inbn=work.document.inbn, divi=work.invoice.divi), Step.WITHDRAW)
            for work in group
        )

        def on_answer(tx: Tx, letter: Letter, answer: Answer) -> None:
            gone = answer.error is not None and answer.error.code == NOT_THERE
            _fail(context, tx, letter.work, deleted=gone or answer.outcome is Outcome.DONE)

        send(context, outbox, cono=company.cono, program=program.name, on_answer=on_answer)


def _fail(context: Context, tx: Tx, work: Work, *, deleted: bool) -> None:
    reasons = list(work.document.reasons)
    changes: dict[str, Any] = {"inbn": ""} if deleted else {}
    if not deleted:
        text = f"Batch {work.document.inbn} was left in M3: look at it in APS450, delete it, then replay."
        reasons.append(reason("open_batch_in_m3", "", text).to_json())
    why = "; ".join(each["text"] for each in reasons)
    work.move(context, tx, Status.FAILED, why=why, reasons=reasons, step=Step.NONE.value, **changes)
