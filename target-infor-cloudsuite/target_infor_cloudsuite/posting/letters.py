"""Sending writes to M3: each is written down before it leaves, and its end as soon as it is known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ion.batching import transaction_bytes
from target_infor_cloudsuite.ledger import attempts, documents
from target_infor_cloudsuite.ledger.attempts import AttemptOutcome
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.programs import abs100

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment

    from target_infor_cloudsuite.ion.answers import Answer, Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.posting.context import CompanySetup, Context

_OUTCOMES = {
    Outcome.DONE: AttemptOutcome.DONE,
    Outcome.REFUSED: AttemptOutcome.REFUSED,
    Outcome.NOT_RUN: AttemptOutcome.NOT_RUN,
    Outcome.IN_DOUBT: AttemptOutcome.IN_DOUBT,
}


@dataclass(slots=True, eq=False)
class Work:
    """A claimed document on its way into M3. ``document`` is replaced whenever its row changes."""

    document: Document
    mapped: AccountingInvoice | AccountingPayment
    company: CompanySetup
    lost: bool = False
    lines_in: set[int] = field(default_factory=set)

    def move(self, context: Context, tx: Tx, to: Status, *, why: str = "", **changes: Any) -> None:
        """Change the document's status, here and in the ledger."""
        documents.move(
            tx,
            self.document,
            to,
            hand=context.hand,
            worker=context.worker,
            why=why,
            details={name: str(changes[name]) for name in ("step", "inbn", "cori", "voucher") if changes.get(name)},
            **changes,
        )
        self._take(changes | {"status": to})

    def progress(self, context: Context, tx: Tx, **changes: Any) -> None:
        """Change columns while the status stays."""
        documents.note_progress(tx, self.document, hand=context.hand, worker=context.worker, **changes)
        self._take(changes)

    def _take(self, changes: dict[str, Any]) -> None:
        known = {name: value for name, value in changes.items() if name in type(self.document).__slots__}
        if "step" in known:
            known["step"] = Step(known["step"])
        self.document = replace(self.document, **known)


@dataclass(frozen=True, slots=True)
class Letter:
    """One transaction of one document; ``position`` counts its lines or details from 1."""

    work: Work
    transaction: Transaction
    position: int = 0


def send(
    context: Context,
    *,
    program: str,
    step: Step,
    letters: Sequence[Letter],
    on_answer: Callable[[Tx, Letter, Answer], None],
    statement_id: int | None = None,
) -> None:
    """Send letters in bulk, each at most once.

    Before a request leaves, each of its letters is durable as an attempt and its document is in ``posting``. When the
    answer is there, the attempt's end and whatever ``on_answer`` changes become durable in one transaction.

    Raises:
        IonError: M3 cannot be reached any more; everything that was under way has been written down.
    """
    by_company: dict[int, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_company[letter.work.company.cono].append(letter)
    for cono, own in by_company.items():
        _Dispatch(context, program, step, cono, statement_id, on_answer).run(own)


def send_for_statement(context: Context, statement: Statement, transaction: Transaction, *, step: Step) -> Answer:
    """Send one transaction of a bank statement as a whole (its head, its validation), at most once."""
    attempt_ids: list[int] = []

    def before(_index: int) -> None:
        with context.ledger.write() as tx:
            attempt_ids.append(
                attempts.begin(
                    tx,
                    hand=context.hand,
                    worker=context.worker,
                    step=step,
                    program=abs100.PROGRAM,
                    transaction_name=transaction.name,
                    request=transaction.record,
                    statement_id=statement.id,
                )
            )

    def after(_index: int, answers: list[Answer]) -> None:
        with context.ledger.write() as tx:
            _record(context, tx, attempt_ids[0], abs100.PROGRAM, transaction.name, step, answers[0], statement=statement)

    answered = context.gateway.write_batches(
        abs100.PROGRAM, [[transaction]], cono=statement.cono, before=before, after=after
    )
    return answered[0][0]


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
                    self.program, self._requests(pending), cono=self.cono, before=self._before, after=self._after
                )
            except ClaimLost:
                # Nothing of that request left. Whoever holds those documents now decides about them.
                begun = {id(letter) for index in self.attempt_ids for letter in self.pulled[index]}
                pending = [each for each in pending if id(each) not in begun and not each.work.lost]
            else:
                return

    def _requests(self, letters: Sequence[Letter]) -> Iterator[list[Transaction]]:
        cost: Callable[[Letter], int] = lambda letter: transaction_bytes(letter.transaction)  # noqa: E731
        for batch in self.context.gateway.batches(letters, cost):
            self.pulled.append(batch)
            yield [letter.transaction for letter in batch]

    def _before(self, index: int) -> None:
        context = self.context
        with context.ledger.write() as tx:
            ids = []
            for letter in self.pulled[index]:
                try:
                    self._begin(tx, letter)
                except ClaimLost:
                    letter.work.lost = True
                    raise
                ids.append(
                    attempts.begin(
                        tx,
                        hand=context.hand,
                        worker=context.worker,
                        step=self.step,
                        program=self.program,
                        transaction_name=letter.transaction.name,
                        request=letter.transaction.record,
                        document=letter.work.document,
                        statement_id=self.statement_id,
                        position=letter.position,
                        cori=letter.work.document.cori,
                    )
                )
        self.attempt_ids[index] = ids

    def _begin(self, tx: Tx, letter: Letter) -> None:
        work = letter.work
        if work.document.status is Status.POSTING:
            work.progress(self.context, tx, step=self.step.value)
        else:
            work.move(
                self.context, tx, Status.POSTING, step=self.step.value, program=self.program, cori=work.document.cori
            )

    def _after(self, index: int, answers: list[Answer]) -> None:
        context = self.context
        with context.ledger.write() as tx:
            for letter, attempt_id, answer in zip(
                self.pulled[index], self.attempt_ids[index], answers, strict=True
            ):
                _record(
                    context,
                    tx,
                    attempt_id,
                    self.program,
                    letter.transaction.name,
                    self.step,
                    answer,
                    letter=letter,
                )
                if letter.work.lost:
                    continue
                try:
                    with tx.begin_nested():
                        self.on_answer(tx, letter, answer)
                except ClaimLost:
                    letter.work.lost = True


def _record(  # noqa: PLR0913 - each names one thing of the attempt
    context: Context,
    tx: Tx,
    attempt_id: int,
    program: str,
    transaction: str,
    step: Step,
    answer: Answer,
    *,
    letter: Letter | None = None,
    statement: Statement | None = None,
) -> None:
    """Write how an attempt ended, and the event that the audit shows of it."""
    attempts.end(
        tx, attempt_id, _OUTCOMES[answer.outcome], at=context.clock.now(), answer=answer_json(answer)
    )
    context.event(
        tx,
        "m3.write",
        {
            "program": program,
            "transaction": transaction,
            "step": step.value,
            "outcome": answer.outcome.value,
            **({"position": letter.position} if letter is not None and letter.position else {}),
            **({"statement": statement.number} if statement is not None else {}),
            **answer_json(answer),
        },
        document_id=None if letter is None else letter.work.document.id,
    )


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as it is kept: M3's records of a write are its keys, no bank numbers."""
    kept: dict[str, Any] = {}
    if answer.records:
        kept["records"] = [dict(record) for record in answer.records]
    if answer.error is not None:
        kept |= {
            "code": answer.error.code,
            "field": answer.error.field,
            "text": answer.error.message,
        }
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
