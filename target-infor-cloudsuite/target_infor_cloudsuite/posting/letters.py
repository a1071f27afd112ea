"""Sending writes to M3: each is written down before it leaves, and its end as soon as it is known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.answers import Answer, Outcome
from target_infor_cloudsuite.ion.batching import transaction_bytes
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger.attempts import AttemptOutcome
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.programs import abs100

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.ledger.states import Step
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

_OUTCOMES = {
    Outcome.DONE: AttemptOutcome.DONE,
    Outcome.REFUSED: AttemptOutcome.REFUSED,
    Outcome.NOT_RUN: AttemptOutcome.NOT_RUN,
    Outcome.IN_DOUBT: AttemptOutcome.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One transaction of one document; ``position`` counts its lines or details from 1."""

    work: Work
    transaction: Transaction
    position: int = 0


def send(  # noqa: PLR0913 - what, where, and what then
    context: Context,
    *,
    program: str,
    step: Step,
    letters: Sequence[Letter],
    on_answer: Callable[[Tx, Letter, Answer], None],
    statement_id: int | None = None,
) -> None:
    """Send letters in bulk, each at most once.

    Before a request leaves, each of its letters is durable as an attempt and its document is in ``posting``.
    When the answer is there, the attempt's end and whatever ``on_answer`` changes become durable in one
    transaction. A document that leaves the step meanwhile (refused, in doubt) has no more letters sent.

    Raises:
        IonError: M3 cannot be reached any more; everything that was under way has been written down.
    """
    by_company: dict[int, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_company[letter.work.company.cono].append(letter)
    for cono, own in by_company.items():
        _Dispatch(context, program, step, cono, statement_id, on_answer).run(own)


def send_for_statement(  # noqa: PLR0913 - what, where, and what then
    context: Context,
    statement: Statement,
    transaction: Transaction,
    *,
    step: Step,
    on_begin: Callable[[Tx], None],
    on_answer: Callable[[Tx, Answer], None],
) -> Answer:
    """Send one transaction of a bank statement as a whole (its head, its validation), at most once.

    What ``on_begin`` changes is durable before it leaves, what ``on_answer`` changes together with its end.

    Raises:
        ClaimLost: from ``on_begin``; nothing has left then.
        IonError: M3 cannot be reached.
    """
    attempt_ids: list[int] = []

    def before(_index: int) -> None:
        with context.ledger.write() as tx:
            on_begin(tx)
            attempt_ids.append(_attempt(context, tx, step, abs100.PROGRAM, transaction, statement.id))

    def after(_index: int, answers: list[Answer]) -> None:
        answer = _whole(transaction, answers[0])
        about = {"statement": statement.number}
        with context.ledger.write() as tx:
            _record(context, tx, attempt_ids[0], abs100.PROGRAM, transaction, step, answer, about)
            on_answer(tx, answer)

    answered = context.gateway.write_batches(
        abs100.PROGRAM, [[transaction]], cono=statement.cono, before=before, after=after
    )
    return _whole(transaction, answered[0][0])


@dataclass(slots=True)
class _Dispatch:
    """The letters of one company on their way."""

    context: Context
    program: str
    step: Step
    cono: int
    statement_id: int | None
    on_answer: Callable[[Tx, Letter, Answer], None]
    pulled: list[list[Letter]] = field(default_factory=list)
    attempt_ids: dict[int, list[int]] = field(default_factory=dict)

    def run(self, letters: Sequence[Letter]) -> None:
        pending = list(letters)
        while pending:
            self.pulled, self.attempt_ids = [], {}
            try:
                self.context.gateway.write_batches(
                    self.program,
                    self._requests(pending),
                    cono=self.cono,
                    before=self._before,
                    after=self._after,
                )
            except ClaimLost:
                # Nothing of that request left. Whoever holds the document now decides about it.
                begun = {id(letter) for index in self.attempt_ids for letter in self.pulled[index]}
                pending = [each for each in pending if id(each) not in begun and not each.work.lost]
            else:
                return

    def _requests(self, letters: Sequence[Letter]) -> Iterator[list[Transaction]]:
        waiting = (letter for letter in letters if self._may_go(letter))
        for batch in self.context.gateway.batches(waiting, _size):
            # Asked again: the answer to an earlier request may have come since the batch was begun.
            going = [letter for letter in batch if self._may_go(letter)]
            if going:
                self.pulled.append(going)
                yield [letter.transaction for letter in going]

    def _may_go(self, letter: Letter) -> bool:
        document = letter.work.document
        return letter.work.is_at(self.step) or (not letter.work.lost and document.status is Status.READY)

    def _before(self, index: int) -> None:
        letters = self.pulled[index]
        as_they_were = [(letter.work, letter.work.document) for letter in letters]
        try:
            with self.context.ledger.write() as tx:
                ids = [self._begin(tx, letter) for letter in letters]
        except BaseException:
            for work, document in reversed(as_they_were):
                work.document = document  # the ledger has undone it, too
            raise
        self.attempt_ids[index] = ids

    def _begin(self, tx: Tx, letter: Letter) -> int:
        context, work = self.context, letter.work
        try:
            if work.document.status is Status.POSTING:
                work.progress(context, tx, step=self.step.value)
            else:
                cori = work.document.cori
                work.move(context, tx, Status.POSTING, step=self.step.value, program=self.program, cori=cori)
        except ClaimLost:
            work.lost = True
            raise
        return _attempt(
            context,
            tx,
            self.step,
            self.program,
            letter.transaction,
            self.statement_id,
            document=work.document,
            position=letter.position,
        )

    def _after(self, index: int, answers: list[Answer]) -> None:
        context = self.context
        with context.ledger.write() as tx:
            for letter, attempt_id, given in zip(
                self.pulled[index], self.attempt_ids[index], answers, strict=True
            ):
                answer = _whole(letter.transaction, given)
                about = {"position": letter.position} if letter.position else {}
                _record(
                    context,
                    tx,
                    attempt_id,
                    self.program,
                    letter.transaction,
                    self.step,
                    answer,
                    about,
                    document_id=letter.work.document.id,
                )
                if letter.work.lost:
                    continue
                try:
                    with tx.begin_nested():
                        self.on_answer(tx, letter, answer)
                except ClaimLost:
                    letter.work.lost = True


def _size(letter: Letter) -> int:
    return transaction_bytes(letter.transaction)


def _whole(transaction: Transaction, answer: Answer) -> Answer:
    """The answer; without the keys that were asked for it is none, and M3 has to be asked what it did."""
    if answer.outcome is not Outcome.DONE:
        return answer
    given = answer.records[0] if answer.records else {}
    lacking = [name for name in transaction.columns if not given.get(name)]
    if not lacking:
        return answer
    detail = f"M3 answered {transaction.name} without {', '.join(lacking)}"
    return Answer(Outcome.IN_DOUBT, answer.records, detail=detail)


def _attempt(  # noqa: PLR0913, PLR0917 - each names one thing of the attempt
    context: Context,
    tx: Tx,
    step: Step,
    program: str,
    transaction: Transaction,
    statement_id: int | None,
    *,
    document: Document | None = None,
    position: int = 0,
) -> int:
    """Write that a transaction is about to leave."""
    return attempts.begin(
        tx,
        hand=context.hand,
        worker=context.worker,
        step=step,
        program=program,
        transaction_name=transaction.name,
        request=transaction.record,
        document=document,
        statement_id=statement_id,
        position=position,
        cori="" if document is None else document.cori,
    )


def _record(  # noqa: PLR0913, PLR0917 - each names one thing of the attempt
    context: Context,
    tx: Tx,
    attempt_id: int,
    program: str,
    transaction: Transaction,
    step: Step,
    answer: Answer,
    about: dict[str, Any],
    *,
    document_id: int | None = None,
) -> None:
    """Write how an attempt ended, and the event that the audit shows of it."""
    kept = answer_json(answer)
    attempts.end(tx, attempt_id, _OUTCOMES[answer.outcome], at=context.clock.now(), answer=kept)
    shown = {
        "program": program,
        "transaction": transaction.name,
        "step": step.value,
        "outcome": answer.outcome.value,
    }
    context.event(tx, "m3.write", {**shown, **about, **kept}, document_id=document_id)


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as it is kept: M3's records of a write are its keys, no bank numbers."""
    kept: dict[str, Any] = {}
    if answer.records:
        kept["records"] = [dict(record) for record in answer.records]
    if answer.error is not None:
        kept |= {"code": answer.error.code, "field": answer.error.field, "text": answer.error.message}
    if answer.detail:
        kept["detail"] = answer.detail
    return kept


def refusal(program: str, transaction: str, answer: Answer, *, position: int = 0) -> dict[str, Any]:
    """M3's no, whole, as it stands among a failed document's reasons."""
    error = answer.error
    where = f"{program}/{transaction}" + (f" of line {position}" if position else "")
    return {
        "code": (error.code or error.type) if error else "refused",
        "field": error.field if error else "",
        "text": f"{where}: {error.message if error else answer.detail}",
        "suggestions": [],
        "releasable": False,
    }
