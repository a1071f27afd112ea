"""One run: first what earlier runs left, then what is new, invoices to rest before payments."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from target_infor_cloudsuite.ledger import LedgerError, claims, documents
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting import conclusion, doubt, invoices, payment_doubt, payments
from target_infor_cloudsuite.posting.paid import mark_settled
from target_infor_cloudsuite.posting.resolve import resolve
from target_infor_cloudsuite.posting.statements import report_orphans
from target_infor_cloudsuite.programs import abs100
from target_infor_cloudsuite.worker import is_dead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

_log = logging.getLogger(__name__)

_ON_THE_WAY = (Status.POSTING, Status.IN_DOUBT)
_TO_RESOLVE = (Status.RECEIVED, Status.REVIEW, Status.READY)
#: A statement in doubt is looked at this often in one run; a gateway that never answers must not hold it up.
_STATEMENT_LOOKS = 4
#: M3 posts a batch some time after it has all of it. It is asked after these pauses, then by the next run.
_POLL_SECONDS = (0.2, 0.5, 1, 2, 4, 8, 15, 30, 30, 30)
_SHORT_POLL_SECONDS = 2

T = TypeVar("T")


def has_work(tx: Tx) -> bool:
    """Whether a run has anything to look at, so that M3 has to be asked anything."""
    return (
        documents.any_in(tx, (*_TO_RESOLVE, *_ON_THE_WAY))
        or bool(ledger_payments.unsettled(tx, program=abs100.PROGRAM))
        or bool(ledger_payments.unused(tx, but_run=""))
    )


def work_off(context: Context) -> None:
    """Bring every document to rest that this worker can claim.

    Raises:
        IonError: M3 cannot be reached or turns us away; what is done is kept, the next run goes on.
        LedgerError: The ledger cannot be written.
    """
    with _leases_renewed(context):
        _take_over_from_the_dead(context)
        _invoices_left(context)
        _invoices_new(context)
        _invoices_in_doubt(context)
        _invoices_read_back(context)
        report_orphans(context)
        _payments_left(context)
        _payments_new(context)
        _payments_in_doubt(context)
        _settle(context)


def resolve_all(context: Context) -> None:
    """Resolve every document that waits, and send nothing: what a run would begin with."""
    size = _group_size(context)
    while _resolve_next(context, size).claimed:
        pass
    while batch := _claim(context, "payment", _TO_RESOLVE, limit=size, unresolved=True):
        resolve(context, batch)


def _take_over_from_the_dead(context: Context) -> None:
    with context.ledger.write() as tx:
        for name in claims.claimants(tx):
            if name != context.worker_name and is_dead(name):
                _log.info("Worker %s has ended; its documents are taken over.", name)
                claims.release(tx, name)


def _claim(
    context: Context, kind: str, statuses: tuple[Status, ...], *, limit: int, unresolved: bool = False
) -> list[Document]:
    with context.ledger.write() as tx:
        return claims.claim(
            tx,
            worker=context.worker,
            now=context.clock.now(),
            kind=kind,
            statuses=statuses,
            limit=limit,
            unresolved_in=context.run_id if unresolved else "",
        )


def _group_size(context: Context) -> int:
    """As many documents as fill the requests in flight."""
    return int(context.settings["max_transactions_per_request"]) * int(context.settings["max_in_flight"])


# -- invoices ------------------------------------------------------------------------------------------


def _invoices_left(context: Context) -> None:
    claimed = _claim(context, "invoice", (Status.POSTING,), limit=_AT_ONCE)
    left = [doubt.recover(context, each) for each in claimed]
    going_on = [each for each in left if each is not None and each.status is Status.POSTING]
    for group in _groups(context, going_on):
        invoices.advance(context, [invoices.work_on(context, each) for each in group])


def _invoices_new(context: Context) -> None:
    """Resolve and send, group by group; M3 is asked about the next group while one is sent."""
    size = _group_size(context)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as ahead:
        resolved = _resolve_next(context, size)
        while resolved.claimed:
            # A group that is not full was the last one; what has come since is taken afterwards.
            following = ahead.submit(_resolve_next, context, size) if resolved.claimed == size else None
            invoices.advance(context, resolved.works)
            _log.info("%d invoices resolved, %d of them sent to M3.", resolved.claimed, len(resolved.works))
            resolved = following.result() if following else _resolve_next(context, size)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A group of invoices that was claimed and resolved, and those of it that may go to M3."""

    claimed: int
    works: list[Work]


def _resolve_next(context: Context, size: int) -> _Resolved:
    batch = _claim(context, "invoice", _TO_RESOLVE, limit=size, unresolved=True)
    if not batch:
        return _Resolved(0, [])
    resolve(context, batch)
    ready = _again(context, batch, Status.READY, Status.POSTING)
    return _Resolved(len(batch), [invoices.work_on(context, each) for each in ready])


def _invoices_in_doubt(context: Context) -> None:
    """Wait out what is in doubt: two looks, one settle time apart, and one more sending at most."""
    while batch := _claim(context, "invoice", (Status.IN_DOUBT,), limit=_group_size(context)):
        due = {each.id: doubt.due_at(context, each) for each in batch}
        now = context.clock.now()
        ripe = [each for each in batch if due[each.id] <= now]
        if not ripe:
            wait = (min(due.values()) - now).total_seconds()
            _log.info("%d invoices are in doubt; M3 is asked in %.0f seconds.", len(batch), wait)
            context.clock.sleep(max(wait, 0.0))
            continue
        invoices.advance(context, doubt.look(context, ripe))


def _invoices_read_back(context: Context) -> None:
    """Ask M3 for what it has whole and had not posted yet, until it has, or patience ends."""
    for pause in (0.0, *_POLL_SECONDS):
        claimed = _claim(context, "invoice", (Status.POSTING,), limit=_AT_ONCE)
        waiting = [each for each in claimed if each.step is Step.READ_BACK]
        # What an earlier run has waited for in vain is not worth a long wait of every run.
        if not any(each.run_id == context.run_id for each in waiting) and pause > _SHORT_POLL_SECONDS:
            break
        if not waiting:
            return
        if pause:
            context.clock.sleep(pause)
        for group in _groups(context, waiting):
            works = [invoices.work_on(context, each) for each in group]
            conclusion.read_back(context, works)
            conclusion.withdraw(context, [work for work in works if work.is_at(Step.WITHDRAW)])
    claimed = _claim(context, "invoice", (Status.POSTING,), limit=_AT_ONCE)
    waiting = [each for each in claimed if each.step is Step.READ_BACK]
    conclusion.give_up(context, [invoices.work_on(context, each) for each in waiting])


# -- payments ------------------------------------------------------------------------------------------


def _payments_left(context: Context) -> None:
    by_statement: dict[int, list[Document]] = defaultdict(list)
    for document in _claim(context, "payment", _ON_THE_WAY, limit=_AT_ONCE):
        if document.statement_id is not None:
            by_statement[document.statement_id].append(document)
    for statement_id, batch in by_statement.items():
        with _unless_lost(statement_id):
            payment_doubt.recover(context, statement_id, batch)
            going_on = _again(context, batch, Status.POSTING)
            if going_on:
                works = [payments.work_on(context, each) for each in going_on]
                payment_doubt.look(context, statement_id, works)


def _payments_new(context: Context) -> None:
    while batch := _claim(context, "payment", _TO_RESOLVE, limit=_group_size(context), unresolved=True):
        resolve(context, batch)
        ready = _again(context, batch, Status.READY)
        payments.post(context, [payments.work_on(context, each) for each in ready])
        _log.info("%d payments resolved, %d of them sent to M3.", len(batch), len(ready))


def _payments_in_doubt(context: Context) -> None:
    looks: dict[int, int] = defaultdict(int)
    while batch := [
        each
        for each in _claim(context, "payment", (Status.IN_DOUBT,), limit=_AT_ONCE)
        if each.statement_id is not None and looks[each.statement_id] < _STATEMENT_LOOKS
    ]:
        for statement_id in sorted({each.statement_id for each in batch if each.statement_id is not None}):
            wait = (payment_doubt.due_at(context, statement_id) - context.clock.now()).total_seconds()
            if wait > 0:
                _log.info("Bank statement %d is in doubt; M3 is asked in %.0f seconds.", statement_id, wait)
                context.clock.sleep(wait)
            looks[statement_id] += 1
            own = [payments.work_on(context, each) for each in batch if each.statement_id == statement_id]
            with _unless_lost(statement_id):
                payment_doubt.look(context, statement_id, own)


def _settle(context: Context) -> None:
    """Look again at posted payments whose invoices M3 did not show as paid at once."""
    with context.ledger.read() as tx:
        unsettled = ledger_payments.unsettled(tx, program=abs100.PROGRAM)
    for ids in _groups(context, unsettled):
        with context.ledger.read() as tx:
            found = documents.having(tx, ids)
        usable = [each for each in found if each.mapped and each.cono in context.companies]
        mark_settled(context, [payments.work_on(context, each) for each in usable])


# -- helpers -------------------------------------------------------------------------------------------

#: As many documents as are taken up again at once; more is left to the next run.
_AT_ONCE = 10_000


def _groups(context: Context, items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Parts that fill the requests in flight."""
    size = _group_size(context)
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def _unless_lost(statement_id: int) -> Iterator[None]:
    """Leave a statement alone when another worker has taken over one of its payments."""
    try:
        yield
    except ClaimLost as lost:
        _log.warning("%s Bank statement %d is left to the worker that does.", lost, statement_id)


def _again(context: Context, batch: list[Document], *statuses: Status) -> list[Document]:
    """Those of the documents that are in one of the statuses now, as they stand now, and still ours."""
    tokens = {each.id: each.claim_token for each in batch}
    with context.ledger.read() as tx:
        found = documents.having(tx, tokens)
    return [each for each in found if each.status in statuses and each.claim_token == tokens[each.id]]


@contextmanager
def _leases_renewed(context: Context) -> Iterator[None]:
    """Renew this worker's claims while it works, and let go of them when it is done."""
    ended = threading.Event()
    pause = int(context.settings["claim_lease_seconds"]) / 3

    def renew() -> None:
        while not ended.wait(pause):
            try:
                context.renew_claims()
            except LedgerError:  # the lease simply runs out then, which others may see sooner than we do
                _log.exception("The leases of this worker could not be renewed.")

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with context.ledger.write() as tx:
            claims.release(tx, context.worker_name)
