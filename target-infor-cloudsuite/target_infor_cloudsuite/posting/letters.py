"""Sending writes to M3: each is written down before it leaves, and its end as soon as it is known."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.batching import transaction_bytes
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger.attempts import Sending
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.posting import answered
from target_infor_cloudsuite.posting.answered import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_infor_cloudsuite.ion.answers import Answer, Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.ledger.states import Step
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work


@dataclass(frozen=True, slots=True)
class Letter:
    """One transaction of one document, at a step; ``position`` counts its lines or details from 1."""

    work: Work
    transaction: Transaction
    step: Step
    position: int = 0

    def may_go(self) -> bool:
        """Whether its document is at its step, or about to take it."""
        work = self.work
        if work.lost or work.stalled:
            return False
        return work.is_at(self.step) or work.document.status is Status.READY


class Outbox:
    """What waits to be sent in one company by one program: lines of what is open first, then the rest.

    Answers may put more into it while it is being sent. A letter whose document has left the step meanwhile
    (refused, in doubt, stalled) is dropped.
    """

    def __init__(self, letters: Iterable[Letter] = ()) -> None:
        self.urgent: deque[Letter] = deque()
        self.rest: deque[Letter] = deque()
        self.put(letters)

    def put(self, letters: Iterable[Letter]) -> None:
        """Add letters."""
        for letter in letters:
            (self.urgent if letter.position else self.rest).append(letter)

    def drop_stale(self) -> None:
        """Leave out what may not go any more."""
        for queue in (self.urgent, self.rest):
            if not all(letter.may_go() for letter in queue):
                kept = [letter for letter in queue if letter.may_go()]
                queue.clear()
                queue.extend(kept)

    def put_back(self, letters: Sequence[Letter]) -> None:
        """Put letters that did not leave back before the others of their kind."""
        for letter in reversed(letters):
            if not letter.work.lost:
                (self.urgent if letter.position else self.rest).appendleft(letter)


def send(  # noqa: PLR0913 - what, where, and what then
    context: Context,
    outbox: Outbox,
    *,
    cono: int,
    program: str,
    on_answer: Callable[[Tx, Letter, Answer], None],
    statement_id: int | None = None,
) -> None:
    """Send letters in bulk until the outbox is empty, each at most once.

    Before a request leaves, each of its letters is durable as an attempt and its document is in ``posting``.
    When the answer is there, the attempts' ends and whatever ``on_answer`` changes become durable in one
    transaction. A request that is not full waits while answers under way may fill it.

    Raises:
        IonError: M3 cannot be reached any more; everything that was under way has been written down.
    """
    _Dispatch(context, outbox, cono, program, on_answer, statement_id).run()


def send_for_statement(  # noqa: PLR0913 - what, where, and what then
    context: Context,
    statement: Statement,
    transaction: Transaction,
    *,
    program: str,
    step: Step,
    on_begin: Callable[[Tx], None],
    on_answer: Callable[[Tx, Answer], None],
) -> Answer:
    """Send one transaction of a statement or journal as a whole (its head, its validation), at most once.

    What ``on_begin`` changes is durable before it leaves, what ``on_answer`` changes together with its end.

    Raises:
        ClaimLost: from ``on_begin``; nothing has left then.
        IonError: M3 cannot be reached.
    """
    numbers: list[int] = []

    def before(_index: int) -> None:
        with context.ledger.write() as tx:
            on_begin(tx)
            numbers.extend(
                attempts.begin(
                    tx,
                    [Sending(step=step, transaction_name=transaction.name, request=transaction.record)],
                    hand=context.hand,
                    worker=context.worker,
                    program=program,
                    statement_id=statement.id,
                )
            )

    def after(_index: int, answers: list[Answer]) -> None:
        answer = answered.whole(transaction, answers[0])
        ended = Ended(
            attempt_id=numbers[0],
            transaction=transaction,
            step=step,
            answer=answer,
            about={"statement": statement.number},
        )
        with context.ledger.write() as tx:
            answered.record(context, tx, program, [ended])
            on_answer(tx, answer)

    given = context.gateway.write_batches(
        program, [[transaction]], cono=statement.cono, before=before, after=after
    )
    return answered.whole(transaction, given[0][0])


@dataclass(slots=True)
class _Dispatch:
    """An outbox on its way. ``air`` counts the requests whose answers are not there yet."""

    context: Context
    outbox: Outbox
    cono: int
    program: str
    on_answer: Callable[[Tx, Letter, Answer], None]
    statement_id: int | None
    pulled: list[list[Letter]] = field(default_factory=list)
    attempt_ids: dict[int, list[int]] = field(default_factory=dict)
    air: int = 0

    def run(self) -> None:
        while True:
            self.pulled, self.attempt_ids, self.air = [], {}, 0
            try:
                self.context.gateway.write_batches(
                    self.program, self._requests(), cono=self.cono, before=self._before, after=self._after
                )
            except ClaimLost:
                # Nothing of that request left. Whoever holds the lost document now decides about it.
                self.outbox.put_back(self.pulled[-1])
            else:
                return

    def _requests(self) -> Iterator[list[Transaction]]:
        while True:
            self.outbox.drop_stale()
            queues = [self.outbox.urgent, self.outbox.rest]
            if not any(queues):
                if not self.air:
                    return
                yield []  # an answer may bring more
                continue
            letters, full = self.context.gateway.take(queues, _size)
            if not full and self.air:
                self.outbox.put_back(letters)
                yield []  # an answer may fill it up
                continue
            self.pulled.append(letters)
            yield [letter.transaction for letter in letters]

    def _before(self, index: int) -> None:
        letters = self.pulled[index]
        as_they_were = {letter.work: letter.work.document for letter in letters}
        context = self.context
        try:
            with context.ledger.write() as tx:
                for work, step in {letter.work: letter.step for letter in letters}.items():
                    self._begin(tx, work, step)
                numbers = attempts.begin(
                    tx,
                    [_sending(letter) for letter in letters],
                    hand=context.hand,
                    worker=context.worker,
                    program=self.program,
                    statement_id=self.statement_id,
                )
        except BaseException:
            for work, document in as_they_were.items():
                work.document = document  # the ledger has undone it, too
            raise
        self.attempt_ids[index] = numbers
        self.air += 1

    def _begin(self, tx: Tx, work: Work, step: Step) -> None:
        try:
            if work.document.status is Status.POSTING:
                work.progress(self.context, tx, step=step.value)
            else:
                work.move(
                    self.context,
                    tx,
                    Status.POSTING,
                    step=step.value,
                    program=self.program,
                    cori=work.document.cori,
                )
        except ClaimLost:
            work.lost = True
            raise

    def _after(self, index: int, answers: list[Answer]) -> None:
        self.air -= 1
        ended = [
            _ended(number, letter, answer)
            for number, letter, answer in zip(
                self.attempt_ids[index], self.pulled[index], answers, strict=True
            )
        ]
        by_work: dict[Work, list[tuple[Letter, Answer]]] = defaultdict(list)
        for letter, each in zip(self.pulled[index], ended, strict=True):
            by_work[letter.work].append((letter, each.answer))
        with self.context.ledger.write() as tx:
            answered.record(self.context, tx, self.program, ended)
            for work, own in by_work.items():
                if not work.lost:
                    with work.part_of(tx):
                        for letter, answer in own:
                            self.on_answer(tx, letter, answer)


def _size(letter: Letter) -> int:
    return transaction_bytes(letter.transaction)


def _sending(letter: Letter) -> Sending:
    return Sending(
        step=letter.step,
        transaction_name=letter.transaction.name,
        request=letter.transaction.record,
        document=letter.work.document,
        position=letter.position,
    )


def _ended(attempt_id: int, letter: Letter, answer: Answer) -> Ended:
    return Ended(
        attempt_id=attempt_id,
        transaction=letter.transaction,
        step=letter.step,
        answer=answered.whole(letter.transaction, answer),
        about={"position": letter.position} if letter.position else {},
        document_id=letter.work.document.id,
    )
