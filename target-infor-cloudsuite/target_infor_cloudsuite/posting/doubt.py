"""Documents in doubt: a write may or may not have happened. M3 is asked, and never told again blindly.

It is asked no sooner than the settle time after the answer was lost, and what it does not show is asked for
once more, another settle time later. What it does not show then did not happen and is sent again, once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ledger import attempts, documents
from target_infor_cloudsuite.ledger.attempts import OPEN, AttemptOutcome
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Doubt, Status, Step
from target_infor_cloudsuite.posting import already_there
from target_infor_cloudsuite.posting.already_there import Findings
from target_infor_cloudsuite.posting.batches import by_program, look_at
from target_infor_cloudsuite.posting.invoices import work_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.attempts import Attempt
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.batches import Seen
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

#: How often M3 must be found without it before it counts as not there.
LOOKS = 2


def recover(context: Context, document: Document) -> Document | None:
    """Take over a document left in ``posting``: an attempt without an answer makes it one in doubt.

    The settle time counts from now: when the other worker's request left, or still leaves, nobody knows. M3
    is asked, too, about a write that it did and that was answered when the other worker had lost the
    document: the answer is in the ledger, what follows from it is not. And once more about one that was to
    be sent again and could not leave: that was some time ago.

    Returns:
        The document as it stands now; None where another worker was faster.
    """
    try:
        with context.ledger.write() as tx:
            attempts.lose_answers(tx, _open(_attempts(tx, document)), at=context.clock.now())
            why = _why_m3_is_asked(tx, document)
            if why and document.step is not Step.WITHDRAW:  # deleting one batch twice is harmless
                documents.move(
                    tx, document, Status.IN_DOUBT, hand=context.hand, worker=context.worker, why=why
                )
            return documents.get(tx, document.id)
    except ClaimLost:
        return None


def _why_m3_is_asked(tx: Tx, document: Document) -> str:
    known = _attempts(tx, document)
    if _open(known):
        return "The worker that sent it ended before its answer was known."
    if _was_done(document, known):
        return "The worker that sent it ended before what follows from M3's answer was written down."
    if _may_be_in(known):
        return "M3 did not show it, and it has not been sent again since."
    return ""


def _attempts(tx: Tx, document: Document) -> list[Attempt]:
    """Those of the document's present step."""
    return attempts.of_document(tx, document.id, step=document.step, cori=document.cori)


def _open(known: Sequence[Attempt]) -> list[Attempt]:
    return [each for each in known if each.outcome in OPEN]


def _may_be_in(known: Sequence[Attempt]) -> list[Attempt]:
    """What M3 may hold without its being known, one attempt a position.

    That is what is in doubt, and what M3 did not show: it can still have done that since.
    """
    done = {each.position for each in known if each.outcome is AttemptOutcome.DONE}
    latest = {each.position: each for each in known if each.outcome in {*OPEN, AttemptOutcome.ABSENT}}
    return [latest[position] for position in sorted(latest) if position not in done]


def _was_done(document: Document, known: Sequence[Attempt]) -> bool:
    """Whether M3 did what takes the document to its next step, though it still stands at this one."""
    single = document.step in {Step.HEAD, Step.COMMIT}  # of the lines each may be in while others are not
    return single and any(each.outcome is AttemptOutcome.DONE for each in known)


def due_at(context: Context, document: Document) -> datetime:
    """When M3 may be asked about a document in doubt."""
    with context.ledger.read() as tx:
        found = _open(_attempts(tx, document))
    moments = [each.looked_at or each.answered_at or each.sent_at for each in found]
    return max(moments, default=context.clock.now() - context.settle) + context.settle


def look(context: Context, batch: Sequence[Document]) -> list[Work]:
    """Ask M3 about invoices in doubt whose time has come; those that may go on are returned."""
    works = [work_on(context, document) for document in batch]
    doubted_at = {work.document.id: work.document.step for work in works}
    for step, ask in _QUESTIONS.items():
        ask(context, [work for work in works if doubted_at[work.document.id] is step])
    return [work for work in works if work.document.status is Status.POSTING and not work.lost]


# -- AddHead -------------------------------------------------------------------------------------------


def _look_for_heads(context: Context, works: Sequence[Work]) -> None:
    for group in by_program(works):
        found = already_there.heads_under_number(
            context, group[0].company, {work.document.id: work.invoice for work in group}
        )
        for work in group:
            _conclude_head(context, work, found[work.document.id])


def _conclude_head(context: Context, work: Work, found: Findings) -> None:
    ours = [head["INBN"] for head in found.batches if head.get("CORI") == work.document.cori]
    invoice = work.invoice
    if found.truncated or found.refused:
        why = found.refused or "its list of batches may be cut"
        _undecided(
            context, work, f"M3 cannot tell whether it has a batch of invoice {invoice.number}: {why}."
        )
    elif len(ours) > 1:
        _undecided(
            context, work, f"M3 has batches {', '.join(ours)} of invoice {invoice.number}, all sent by us."
        )
    elif ours:
        _adopt(context, work, step=Step.LINES, found=f"batch {ours[0]} carries our CORI", inbn=ours[0])
    else:
        _absent(context, work, f"no batch of invoice {invoice.number} carries our CORI")


# -- AddLine -------------------------------------------------------------------------------------------


def _look_for_lines(context: Context, works: Sequence[Work]) -> None:
    for work, seen in zip(works, look_at(context, works), strict=True):
        _conclude_lines(context, work, seen)


def _conclude_lines(context: Context, work: Work, seen: Seen) -> None:
    program, invoice = work.company.program, work.invoice
    if seen.head is None:
        _undecided(context, work, f"M3 does not show batch {work.document.inbn} any more ({seen.refused}).")
        return
    sent = {position: program.signature(line) for position, line in enumerate(invoice.lines, start=1)}
    surplus = program.held_signatures(seen.lines)
    surplus.subtract(Counter(sent[position] for position in work.lines_in))
    with context.ledger.read() as tx:
        doubted = _may_be_in(_attempts(tx, work.document))
    arrived: list[Attempt] = []
    for attempt in doubted:
        if surplus[sent[attempt.position]] > 0:
            surplus[sent[attempt.position]] -= 1
            arrived.append(attempt)
    if any(surplus.values()):
        _undecided(
            context, work, f"Batch {work.document.inbn} holds lines that we did not send, or lacks some."
        )
        return
    with context.ledger.write() as tx:
        now = context.clock.now()
        attempts.decide(tx, arrived, AttemptOutcome.DONE, at=now, looked="LstLines shows it")
    work.lines_in.update(each.position for each in arrived)
    if len(arrived) == len(doubted):
        _adopt(
            context,
            work,
            step=Step.LINES,
            found=f"batch {work.document.inbn} holds all lines that were in doubt",
        )
    else:
        _absent(context, work, f"{len(doubted) - len(arrived)} lines are not in batch {work.document.inbn}")


# -- commit --------------------------------------------------------------------------------------------


def _look_for_commits(context: Context, works: Sequence[Work]) -> None:
    for work, seen in zip(works, look_at(context, works), strict=True):
        inbn = work.document.inbn
        if seen.head is None:
            _look_in_ledger(context, work, seen)
        elif work.company.program.was_submitted(seen.head):
            found = f"batch {inbn} has SUPA {seen.head.get('SUPA', '')}"
            _adopt(context, work, step=Step.READ_BACK, found=found)
        else:
            _absent(context, work, f"batch {inbn} was not submitted")


def _look_in_ledger(context: Context, work: Work, seen: Seen) -> None:
    """The batch is gone. What the ledger holds under its number carries no CORI: only a person can say."""
    found = {work.document.id: Findings()}
    already_there.ask_ledger(context, work.company.cono, {work.document.id: work.invoice}, found)
    held = ", ".join(f"voucher {each.voucher} of {each.year}" for each in found[work.document.id].in_ledger)
    what = f"M3 does not show batch {work.document.inbn} any more ({seen.refused})"
    _undecided(context, work, f"{what}; under its number the AP ledger holds {held or 'nothing'}.")


_QUESTIONS: dict[Step, Callable[[Any, Sequence[Any]], None]] = {
    Step.HEAD: _look_for_heads,
    Step.LINES: _look_for_lines,
    Step.COMMIT: _look_for_commits,
}


# -- what follows --------------------------------------------------------------------------------------


def _adopt(context: Context, work: Work, *, step: Step, found: str, **changes: Any) -> None:
    """It happened: go on behind it."""
    with work.change(context) as tx:
        arrived = _may_be_in(_attempts(tx, work.document))
        attempts.decide(tx, arrived, AttemptOutcome.DONE, at=context.clock.now(), looked=found)
        why = f"M3 was asked: {found}."
        work.move(context, tx, Status.POSTING, why=why, doubt=Doubt.ADOPTED, step=step.value, **changes)


def _absent(context: Context, work: Work, found: str) -> None:
    """M3 does not show it: look again later; after the second time send once more, and only once."""
    again = False
    with work.change(context) as tx:
        known = _attempts(tx, work.document)
        doubted = _open(known)
        attempts.looked(tx, [each.id for each in doubted], at=context.clock.now())
        if any(each.looks + 1 < LOOKS for each in doubted):
            context.event(tx, "doubt.looked", {"found": found}, document_id=work.document.id)
            return
        given_up = {each.position for each in known if each.outcome is AttemptOutcome.ABSENT}
        attempts.decide(tx, doubted, AttemptOutcome.ABSENT, at=context.clock.now(), looked=found)
        sent_twice = given_up & {each.position for each in doubted}
        again = not sent_twice and not _was_done(work.document, known)
        if again:
            why = f"M3 was asked {'twice' if doubted else 'once more'}: {found}; it is sent once more."
            step = work.document.step.value
            work.move(context, tx, Status.POSTING, why=why, doubt=Doubt.RESENT, step=step)
    if not again and not work.lost:
        sent = "was sent twice" if doubted else "was done"
        _undecided(context, work, f"It {sent} and M3 does not show it: {found}.")


def _undecided(context: Context, work: Work, what: str) -> None:
    text = f"{what} Look in APS450 and APS200 for invoice {work.document.number}, then replay or dismiss."
    with work.change(context) as tx:
        work.hold(context, tx, reason("in_doubt_unresolved", "", text), doubt=Doubt.PERSON)
