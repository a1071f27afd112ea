"""The gateway to M3: repeats what is harmless to repeat, and says what became of each transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from target_infor_cloudsuite.ion.answers import Answer, MiError, Outcome, Transaction, all_of, parse_reply
from target_infor_cloudsuite.ion.batching import BatchSize, split, take, transaction_bytes
from target_infor_cloudsuite.ion.courier import Call, Courier
from target_infor_cloudsuite.ion.errors import GatewayUnavailable, IonError
from target_infor_cloudsuite.ion.flight import Flight, Landed
from target_infor_cloudsuite.ion.slots import Slots
from target_infor_cloudsuite.ion.transport import LostError, NotSentError

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import requests

    from target_infor_cloudsuite.ion.credentials import IonCredentials
    from target_infor_cloudsuite.ion.pacing import Pacer

__all__ = ["Answer", "Gateway", "MiError", "Outcome", "Transaction"]

T = TypeVar("T")

_READ_ATTEMPTS = 5
_READ = frozenset({Outcome.DONE, Outcome.REFUSED})


class Gateway:
    """M3's MI programs behind the ION API gateway of one tenant. Thread-safe; close it after use.

    Args:
        credentials: of the service account.
        pacer: the request budget, shared by whatever shares the budget.
        max_in_flight: requests under way at once, reads and writes together.
        timeout_seconds: how long an answer may take.
        max_transactions: in one request.
        max_bytes: of one request's body, roughly.
        session: makes the HTTP sessions; given where proxies or CA bundles must be set by hand.

    Attributes:
        address: where the tenant's API begins; no secret.
    """

    def __init__(  # noqa: PLR0913 - keyword-only settings
        self,
        credentials: IonCredentials,
        *,
        pacer: Pacer,
        max_in_flight: int = 4,
        timeout_seconds: float = 60.0,
        max_transactions: int = 50,
        max_bytes: int = 30_000,
        session: Callable[[], requests.Session] | None = None,
    ) -> None:
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight must be at least 1, not {max_in_flight}")
        self._max_in_flight = max_in_flight
        self._size = BatchSize(max_transactions)
        self.address = credentials.api_base
        self._max_bytes = max_bytes
        self._sleep = pacer.sleep
        self._slots = Slots(max_in_flight)
        self._readers = ThreadPoolExecutor(max_in_flight, thread_name_prefix="ion-read")
        self._writers = ThreadPoolExecutor(max_in_flight, thread_name_prefix="ion-write")
        self._courier = Courier(
            credentials, pacer=pacer, timeout_seconds=timeout_seconds, make_session=session
        )

    @property
    def requests_sent(self) -> int:
        """Requests that left this process, those for tokens included."""
        return self._courier.requests_sent

    @property
    def throttled(self) -> int:
        """How often the gateway answered 429."""
        return self._courier.throttled

    def close(self) -> None:
        """Wait for what is under way and close the connections."""
        self._readers.shutdown(wait=True)
        self._writers.shutdown(wait=True)
        self._courier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def batches(self, items: Iterable[T], cost: Callable[[T], int] = transaction_bytes) -> Iterator[list[T]]:
        """Split items into lists that fit into one request, in order, lazily.

        Args:
            items: transactions, or anything that becomes one transaction.
            cost: the bytes an item takes; the default takes `Transaction`s.
        """
        return split(items, size=self._size, max_bytes=self._max_bytes, cost=cost)

    def take(self, queues: Sequence[deque[T]], cost: Callable[[T], int]) -> tuple[list[T], bool]:
        """Take what fits into one request from queues, the first of them first; and whether it is full."""
        return take(queues, size=self._size, max_bytes=self._max_bytes, cost=cost)

    def read(
        self,
        program: str,
        transactions: Sequence[Transaction],
        *,
        cono: int,
        divi: str = "",
        max_records: int = 0,
    ) -> list[Answer]:
        """Execute transactions that change nothing; repeats them as often as it takes.

        Args:
            program: the MI program.
            transactions: any number.
            cono: the company.
            divi: the division; blank for the service account's own.
            max_records: records for each transaction; 0 is M3's own limit, if any.

        Returns:
            DONE or REFUSED for each transaction, in their order.

        Raises:
            GatewayUnavailable: no useful answer after several attempts.
            TokenRefused: no token, or a fresh token was refused.
            GatewayRefused: 403 or 404.
        """
        call = Call(program=program, cono=cono, divi=divi, max_records=max_records)
        pending = [
            self._readers.submit(self._read_batch, call, batch) for batch in self.batches(transactions)
        ]
        try:
            return [answer for future in pending for answer in future.result()]
        finally:
            for future in pending:
                future.cancel()

    def write_batches(  # noqa: PLR0913 - keyword-only settings
        self,
        program: str,
        batches: Iterable[list[Transaction]],
        *,
        cono: int,
        divi: str = "",
        before: Callable[[int], object],
        after: Callable[[int, list[Answer]], object],
    ) -> list[list[Answer]]:
        """Execute transactions that change something, each batch one request, each at most once.

        Only what the gateway itself turned away (429, 401) is sent again: M3 has not seen that.

        Args:
            program: the MI program.
            batches: pulled one by one on the caller's thread, when there is room in the air; an empty one
                says that the next depends on an answer that is still under way.
            cono: the company.
            divi: the division; blank for the service account's own.
            before: called with the batch's index on the caller's thread before a byte of it leaves.
            after: called with the index and the answers on the caller's thread, in order of completion.

        Returns:
            The answers of each batch, in the batches' order.

        Raises:
            TokenRefused: no token, or a fresh token was refused.
            GatewayRefused: 403 or 404.
            GatewayUnavailable: the authorization server does not answer.
            ValueError: a batch is empty while no answer is under way.

        Before any of them is raised, every batch that `before` saw was given to `after`.
        """
        call = Call(program=program, cono=cono, divi=divi)
        flight = Flight(
            ready=self._courier.token.get,
            send=lambda batch: self._writers.submit(self._write_batch, call, batch),
            before=before,
            after=after,
            max_in_flight=self._max_in_flight,
        )
        return flight.fly(batches)

    def _read_batch(self, call: Call, batch: list[Transaction]) -> list[Answer]:
        repeat = Retrying(
            stop=stop_after_attempt(_READ_ATTEMPTS),
            wait=wait_exponential(multiplier=1, max=30),
            retry=retry_if_exception_type((NotSentError, LostError)),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answers: list[Answer] = repeat(self._read_or_halve, call, batch)
        except (NotSentError, LostError) as exc:
            names = ", ".join(sorted({transaction.name for transaction in batch}))
            raise GatewayUnavailable(
                f"{call.program}/{names} could not be read in {_READ_ATTEMPTS} attempts: {exc}",
                what_to_do="Check the network, request_timeout_seconds and Infor's service status; "
                "nothing is lost, the next run continues",
            ) from None
        return answers

    def _read_or_halve(self, call: Call, batch: list[Transaction]) -> list[Answer]:
        """Try once; what is too much for one request is halved instead of repeated."""
        try:
            with self._slots.taken(urgent=False):
                reply = self._courier.read(call, batch)
            answers = parse_reply(reply, batch)
            _all_read(answers)
        except LostError as exc:
            if not exc.too_much or len(batch) == 1:
                raise
            self._size.timed_out(len(batch))
        else:
            self._size.came_through(len(batch))
            return answers
        middle = len(batch) // 2
        return self._read_batch(call, batch[:middle]) + self._read_batch(call, batch[middle:])

    def _write_batch(self, call: Call, batch: list[Transaction]) -> Landed:
        count = len(batch)
        try:
            with self._slots.taken(urgent=True):
                reply = self._courier.write(call, batch)
            answers = parse_reply(reply, batch)
        except NotSentError as exc:
            return Landed(all_of(Outcome.NOT_RUN, count, str(exc)))
        except LostError as exc:
            if exc.too_much:
                self._size.timed_out(count)
            return Landed(all_of(Outcome.IN_DOUBT, count, str(exc)))
        except IonError as exc:
            return Landed(all_of(Outcome.NOT_RUN, count, str(exc.args[0])), fatal=exc)
        except Exception as exc:  # noqa: BLE001 - a bug of ours must not hide that a write may be out
            return Landed(all_of(Outcome.IN_DOUBT, count, f"internal error {type(exc).__name__}"), fatal=exc)
        self._size.came_through(count)
        return Landed(answers)


def _all_read(answers: list[Answer]) -> None:
    for answer in answers:
        if answer.outcome not in _READ:
            raise LostError(answer.detail, too_much=True)
