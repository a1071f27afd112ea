"""Processes of the target in this one: each with its ledger, its way to M3, and what a seed does to them."""

from __future__ import annotations

import socket
import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import event
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.gateway import Gateway
from target_infor_cloudsuite.ion.pacing import OwnBudget, Pacer
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.posting.run import work_off
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import prepare

from proof.faults import Line
from proof.names import CROSSWALKS
from proof.world import IONAPI, Wire, new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.settings import Settings

    from proof.exports import Record
    from proof.world import World

T = TypeVar("T")
LEASE = 120
#: The moments at which a process may die.
DEATHS = ("before sending", "after the work", "after the answer", "before commit", "after commit")
#: How often a write to the ledger fails while it may.
_LEDGER_FAULT = 0.03


class AtOnce(ThreadPoolExecutor):
    """Does at once what the target would do beside: which of two threads is first is no seed's to say."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Do it, and give what came of it."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as fault:  # noqa: BLE001 - raised again by whoever asks for the result
            future.set_exception(fault)
        return future


class DiedError(BaseException):
    """The end of a process, as far as the ledger and M3 can tell."""


class SimulatedLedger(Ledger):
    """The real ledger on a real SQLite file, whose disk fills and whose process dies when a seed says so."""

    #: One engine a file, so that what SQLAlchemy has compiled serves every seed.
    _engines: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.moment: Callable[[str], None] = lambda _name: None
        self.before_write: Callable[[], None] = lambda: None
        self.full = False
        if url in self._engines:
            self._engine = self._engines[url]
            return
        self._engines[url] = self._engine

        @event.listens_for(self._engine, "connect")
        def _quick(connection: Any, _record: Any) -> None:
            # The simulation cuts no power, and waits for nobody.
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA busy_timeout=0")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As the ledger's own, with what may happen to it."""
        self.before_write()
        with super().write() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one() if self.full else 2**30
            tx.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            yield tx
            self.moment("before commit")
        self.moment("after commit")


@dataclass(slots=True)
class Baton:
    """Several workers, one at a time: a seed says who goes on, and each sleeps on its own."""

    world: World
    chance: Random
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _ready_at: dict[int, float] = field(default_factory=dict)
    _now: int = -1

    def enter(self, number: int) -> None:
        """Say that a worker will take part."""
        self._ready_at[number] = 0.0

    def pass_on(self, number: int, seconds: float = 0.0) -> None:
        """Let somebody else go on, and come back no sooner than in so many seconds."""
        with self._turn:
            self._ready_at[number] = self.world.time.elapsed + seconds
            self._choose()
            self._wait(number)

    def leave(self, number: int) -> None:
        """Say that a worker has ended."""
        with self._turn:
            del self._ready_at[number]
            self._choose()

    def start(self) -> None:
        """Choose the first."""
        with self._turn:
            self._choose()

    def wait(self, number: int) -> None:
        """Wait for a worker's first turn."""
        with self._turn:
            self._wait(number)

    def _wait(self, number: int) -> None:
        self._turn.wait_for(lambda: self._now == number)

    def _choose(self) -> None:
        if self._ready_at:
            now = self.world.time.elapsed
            ready = sorted(n for n, at in self._ready_at.items() if at <= now)
            if not ready:
                first = min(self._ready_at.values())
                self.world.time.sleep(first - now)  # a rounding may leave it a hair short of that
                ready = sorted(n for n, at in self._ready_at.items() if at <= first)
            self._now = self.chance.choice(ready)
        self._turn.notify_all()


@dataclass(slots=True)
class Fate:
    """What a seed has in store for processes.

    Attributes:
        chance: Where it comes from.
        deaths: How many processes may still die.
        death_rate: How likely at each moment.
        ledger_faults: How often the ledger may still fail.
        stopped: How likely one of two workers stands still before it writes to the ledger.
        stop_at: Instead, the first one's write before which it does.
        hits: How often each kind was met.
    """

    chance: Random
    deaths: int = 0
    death_rate: float = 0.0
    ledger_faults: int = 0
    stopped: float = 0.02
    stop_at: int = 0
    hits: dict[str, int] = field(default_factory=dict)

    def met(self, kind: str) -> None:
        """Count a kind."""
        self.hits[kind] = self.hits.get(kind, 0) + 1

    def kills(self) -> bool:
        """Whether the process dies at this moment."""
        if not self.deaths or self.chance.random() >= self.death_rate:
            return False
        self.deaths -= 1
        return True

    def of_the_ledger(self) -> str:
        """What happens to the ledger at this write; '' for nothing."""
        if not self.ledger_faults or self.chance.random() >= _LEDGER_FAULT:
            return ""
        self.ledger_faults -= 1
        kind = self.chance.choice(["disk full", "ledger locked"])
        self.met(kind)
        return kind


@dataclass(slots=True)
class Life:
    """One process of the target, from its start to its end.

    Attributes:
        fate: What may happen to it.
        line: Its way to M3.
        settings: The target's.
        ledger_path: The SQLite file.
        number: Which of the workers it is.
        baton: What it shares with another worker; None where it is alone.
        dead: It has died, and nothing of it is written any more.
    """

    fate: Fate
    line: Line
    settings: Settings
    ledger_path: Path
    number: int = 0
    baton: Baton | None = None
    dead: bool = False
    _ledger: SimulatedLedger = field(init=False)
    _locked: sqlite3.Connection | None = None
    _writes: int = 0

    def run(self, delivered: Sequence[Record]) -> None:
        """Take records in and work the ledger off."""
        time, settings = self.line.world.time, self.settings
        self._ledger = SimulatedLedger(settings.ledger_url)
        self._ledger.moment = self._moment
        self._ledger.before_write = self._before_write
        wire = Wire(self._serve)
        clock = Clock(time.now, self._sleep)
        hand = Hand(actor="proof", at=time.now(), run_id="")
        if delivered:
            with self._ledger.write() as tx:
                for record in delivered:
                    receive(tx, "payments" if "payment_id" in record else "invoices", [record], hand=hand)
        gateway = Gateway(
            IonCredentials.load(text=IONAPI),
            pacer=self._pacer(),
            max_in_flight=1,
            timeout_seconds=self.line.timeout,
            max_transactions=int(settings["max_transactions_per_request"]),
            session=wire.session,
        )
        prepared = _PREPARED[self.line.world.m3.tenant_name]
        with gateway:
            work_off(
                replace(
                    prepared,
                    settings=settings,
                    ledger=self._ledger,
                    gateway=gateway,
                    clock=clock,
                    run_id=f"{self.fate.chance.getrandbits(128):032x}",
                    worker_name=self._name(),
                    detailed=set(),
                )
            )

    def close(self) -> None:
        """Give back what a dead process gives back."""
        if self._locked is not None:
            self._locked.close()
        self._ledger.close()

    def _name(self) -> str:
        # A lone process that ended is known as dead; of two on other hosts only the lease tells.
        where = "here" if self.baton else socket.gethostname()
        return f"{where}/{2**22 + self.number}/0/{self.fate.chance.getrandbits(32):08x}"

    def _pacer(self) -> Pacer:
        time = self.line.world.time
        return Pacer(60_000, store=OwnBudget(time.monotonic), sleep=self._sleep, wall_clock=time.true_now)

    def _serve(self, url: str, body: bytes) -> Any:
        self.line.moment = self._moment
        self._pass_on()
        answer = self.line.serve(url, body)
        self._pass_on()
        return answer

    def _sleep(self, seconds: float) -> None:
        if self.baton is None:
            self.line.world.time.sleep(seconds)
        else:
            self.baton.pass_on(self.number, seconds)
        self._moment("asleep")

    def _stopped_for(self) -> float:
        """Now and then one of two workers stands still for longer than its lease, as under SIGSTOP."""
        self._writes += 1
        if self.baton is None:
            return 0.0
        if self.fate.stop_at:
            # Until just after the other one, that begins when the leases have ended, has begun.
            stop = not self.number and self._writes == self.fate.stop_at
            return LEASE + self.fate.chance.uniform(0, 2.5) if stop else 0.0
        if self.fate.chance.random() >= self.fate.stopped:
            return 0.0
        self.fate.met("stopped beyond its lease")
        # Not much longer: it wakes while whoever took over is in the middle of it.
        return LEASE + self.fate.chance.choice([self.fate.chance.uniform(0, 4), 2 * LEASE])

    def _pass_on(self, seconds: float = 0.0) -> None:
        if self.baton is not None:
            self.baton.pass_on(self.number, seconds)

    def _moment(self, name: str) -> None:
        """A moment at which a process may die."""
        if self.dead:
            raise DiedError("already")
        if name in DEATHS and self.fate.kills():
            self.dead = True
            raise DiedError(name)

    def _before_write(self) -> None:
        """The process may be stopped for a while, its disk full, or another program hold the ledger."""
        self._pass_on(self._stopped_for())
        if self.dead:
            raise DiedError("already")
        self._ledger.full = False
        if self._locked is not None:
            self._locked.close()
            self._locked = None
        match self.fate.of_the_ledger():
            case "disk full":
                self._ledger.full = True
            case "ledger locked":
                self._locked = sqlite3.connect(
                    self.ledger_path, isolation_level=None, timeout=0, check_same_thread=False
                )
                self._locked.execute("BEGIN IMMEDIATE")


_WARM: dict[tuple[str, Path], Path] = {}
#: By tenant, what a run works with: the same for all of them but for their ledger and their way to M3.
_PREPARED: dict[str, Context] = {}


def warm_ledger(tenant: str, directory: Path) -> Path:
    """A ledger that knows the tenant's reference data already, to be copied."""
    key = (tenant, directory)
    if key not in _WARM:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"warm-{tenant}.db"
        world = new_world(tenant)
        settings = read_settings(
            {"ionapi": IONAPI, "crosswalk_dir": str(CROSSWALKS), "ledger_url": f"sqlite:///{path}"}
        )
        ledger = SimulatedLedger(settings.ledger_url)
        ledger.open()
        line = Line(world, Random(0))  # noqa: S311 - no faults are drawn
        pacer = Pacer(60_000, store=OwnBudget(world.time.monotonic), sleep=world.time.sleep)
        credentials = IonCredentials.load(text=IONAPI)
        with Gateway(credentials, pacer=pacer, max_in_flight=1, session=Wire(line.serve).session) as gateway:
            clock = Clock(world.time.now, world.time.sleep)
            _PREPARED[tenant] = prepare(settings, ledger, gateway, clock=clock)
        ledger.close()
        _WARM[key] = path
    return _WARM[key]
