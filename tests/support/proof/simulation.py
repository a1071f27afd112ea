"""One seed: documents, a target and an M3 in this process, faults of every kind, rest, then the judge."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import event
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ion.gateway import Gateway
from target_infor_cloudsuite.ion.pacing import OwnBudget, Pacer
from target_infor_cloudsuite.ledger import Ledger, LedgerError
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.posting.run import work_off
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import prepare

from proof import exports
from proof.checker import LEDGER_QUERY, check, suppliers_of, told_by_ledger
from proof.exports import identity
from proof.faults import Line
from proof.wanted import Books
from proof.world import IONAPI, Wire, new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from proof.checker import Findings
    from proof.world import World

ROOT = Path(__file__).resolve().parents[3]
CROSSWALKS = ROOT / "transforms" / "crosswalks"
TENANTS = ("aps100", "aps450")
LEASE = 120
#: The moments at which a process may die.
DEATHS = ("before sending", "after the work", "after the answer", "before commit", "after commit")
#: How often a worker stands still before it writes to the ledger.
_STOPPED = 0.02
#: Calm runs after the storm: what they leave is not at rest.
CALM_RUNS = 3


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
        self._ready_at[number] = 0.0

    def pass_on(self, number: int, seconds: float = 0.0) -> None:
        """Let somebody else go on, and come back no sooner than in so many seconds."""
        with self._turn:
            self._ready_at[number] = self.world.time.elapsed + seconds
            self._choose()
            self._wait(number)

    def leave(self, number: int) -> None:
        with self._turn:
            del self._ready_at[number]
            self._choose()

    def start(self) -> None:
        with self._turn:
            self._choose()

    def wait(self, number: int) -> None:
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
                self.world.time.sleep(first - now)
                ready = sorted(n for n, at in self._ready_at.items() if at <= self.world.time.elapsed)
            self._now = self.chance.choice(ready)
        self._turn.notify_all()


@dataclass(slots=True)
class Outcome:
    """What a seed came to."""

    seed: int
    tenant: str
    findings: Findings
    documents: dict[str, int]
    lost_writes: int = 0
    happened: int = 0
    settled: int = 0
    to_a_person: int = 0
    unhit_in_review: list[str] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.findings.all(), *(f"held without need: {each}" for each in self.unhit_in_review)]


@dataclass(slots=True)
class Simulation:
    """A target in front of a world, with the misfortunes of a seed."""

    seed: int
    directory: Path
    tenant: str = ""
    documents: Callable[[Random], exports.Export] = exports.some
    chance: Random = field(init=False)
    world: World = field(init=False)
    line: Line = field(init=False)
    settings: Any = field(init=False)
    export: exports.Export = field(init=False)
    workers: int = 1
    _deaths: int = 0
    _death_rate: float = 0.0
    _ledger_faults: int = 0
    ends: list[str] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - repeatable, not secret
        self.tenant = self.tenant or self.chance.choice(TENANTS)
        self.world = new_world(self.tenant)
        settle = self.chance.choice([20, 60, 180])
        self.line = Line(self.world, self.chance, latest=1.9 * settle)
        self.settings = read_settings(self._config(settle))
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.directory / name).unlink(missing_ok=True)
        self.export = self.documents(self.chance)
        self.world.hold(self.export.elsewhere)
        shutil.copyfile(_warm_ledger(self.tenant, self.directory), self.ledger_path)

    @property
    def ledger_path(self) -> Path:
        """The ledger, one file for one seed after the other."""
        return self.directory / "ledger.db"

    def _config(self, settle: int) -> dict[str, Any]:
        return {
            "ionapi": IONAPI,
            "crosswalk_dir": str(CROSSWALKS),
            "ledger_url": f"sqlite:///{self.ledger_path}",
            "output_dir": str(self.directory / "output"),
            "requests_per_minute": 60_000,
            "max_in_flight": 1,
            "max_transactions_per_request": self.chance.choice([1, 2, 3, 5, 50]),
            "in_doubt_settle_seconds": settle,
            "claim_lease_seconds": LEASE,
            "reference_max_age_minutes": 10**6,
        }

    # -- one seed --------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """The storm, the calm, the judge."""
        export = self.export
        self.workers = 2 if self.chance.random() < 0.25 else 1
        self.line.budget = self.chance.randrange(0, 9)
        self.line.rate = self.chance.choice([0.1, 0.3, 0.7])
        self._deaths = self.chance.choice([0, 0, 1, 1, 2, 3])
        self._death_rate = self.chance.choice([0.005, 0.02, 0.05])
        self._ledger_faults = self.chance.choice([0, 0, 0, 1, 2])
        for number, delivered in enumerate([export.first, export.later]):
            self._storm(delivered, first=not number)
            self.world.time.sleep(self.chance.choice([1, LEASE + 1, 3600]))
        self.line.calm()
        self._deaths = self._ledger_faults = 0
        self.world.time.step = timedelta()
        # A lease that was written by a clock two hours ahead ends two hours later.
        self.world.time.sleep(3 * 3600)
        for number in range(CALM_RUNS):
            self.world.time.sleep(LEASE + 1)
            self._one_run([] if number else export.records, worker=0)  # what was not received comes again
            # Now and then once more: a run with nothing left to do must do nothing.
            if not self._is_open() and (number or self.seed % 4):
                break
        return self._judge()

    def undisturbed(self) -> None:
        """The same without a fault."""
        self._one_run(self.export.records, worker=0)

    def evidence(self) -> dict[str, Any]:
        """What the judge is given, by the names of its arguments."""
        connection = sqlite3.connect(self.ledger_path)
        told = told_by_ledger(connection.execute(LEDGER_QUERY))
        connection.close()
        return {
            "records": self.export.records,
            "books": Books(CROSSWALKS, suppliers_of(self.world.connection)),
            "m3": self.world.books(),
            "told": told,
        }

    def _storm(self, delivered: Sequence[exports.Record], *, first: bool) -> None:
        if first and self.chance.random() < 0.2:
            self.world.time.later(self.chance.choice([1, 2, 30, 100]), self._step_the_clock)
        if self.workers == 1:
            self._one_run(delivered, worker=0)
            return
        self.hits["two workers at once"] = self.hits.get("two workers at once", 0) + 1
        baton = Baton(self.world, self.chance)
        threads = [
            threading.Thread(target=self._in_turn, args=(baton, delivered if not n else [], n))
            for n in range(self.workers)
        ]
        for number in range(self.workers):
            baton.enter(number)
        for thread in threads:
            thread.start()
        baton.start()
        for thread in threads:
            thread.join()

    def _step_the_clock(self) -> None:
        """The target's wall clock is set while it runs."""
        self.world.time.step = timedelta(seconds=self.chance.choice([-7200, -30, 30, 7200]))
        self.hits["clock step"] = self.hits.get("clock step", 0) + 1

    def _in_turn(self, baton: Baton, delivered: Sequence[exports.Record], number: int) -> None:
        baton.wait(number)
        try:
            self._one_run(delivered, worker=number, baton=baton)
        finally:
            baton.leave(number)

    def _one_run(
        self, delivered: Sequence[exports.Record], *, worker: int, baton: Baton | None = None
    ) -> None:
        """One process of the target, from its start to its end, whatever that is."""
        process = _Process(self, worker, baton)
        try:
            process.run(delivered)
            self.ends.append("well")
        except DiedError as death:
            self.ends.append(f"died {death}")
        except (IonError, LedgerError) as fault:
            self.ends.append(type(fault).__name__)
        finally:
            process.close()

    def _is_open(self) -> bool:
        """Whether a document is on its way; those that wait for another one are not."""
        connection = sqlite3.connect(self.ledger_path)
        query = "SELECT count(*) FROM documents WHERE status IN ('received', 'ready', 'posting', 'in_doubt')"
        (count,) = connection.execute(query).fetchone()
        connection.close()
        return bool(count)

    # -- the judge -------------------------------------------------------------------------------------

    def _judge(self) -> Outcome:
        export, evidence = self.export, self.evidence()
        findings, told = check(**evidence), evidence["told"]
        connection = sqlite3.connect(self.ledger_path)
        counts: dict[str, int] = {}
        for tellings in told.values():
            for each in tellings:
                counts[each.status] = counts.get(each.status, 0) + 1
        outcome = Outcome(
            self.seed, self.tenant, findings, counts, hits=self.line.hits | self.hits, ends=self.ends
        )
        hit = self._account_for_lost_writes(connection, outcome)
        paid = {
            identity(each): [f"{each['company']} {part['invoice_id']}" for part in each["applications"]]
            for each in export.first
            if "applications" in each
        }
        for name in sorted(export.sound):
            statuses = [each.status for each in told.get(name, ())]
            if "posted" not in statuses and not hit & {name, *paid.get(name, ())}:
                outcome.unhit_in_review.append(
                    f"{name} is {statuses}: {[t.text[:300] for t in told.get(name, ())]}"
                )
        connection.close()
        return outcome

    def _account_for_lost_writes(self, connection: sqlite3.Connection, outcome: Outcome) -> set[str]:
        """Count what became of the writes whose answers were lost; the documents that had trouble in M3."""
        documents = {
            number: (identity(json.loads(raw)), status, reasons)
            for number, raw, status, reasons in connection.execute(
                "SELECT id, raw, status, reasons FROM documents"
            )
        }
        on_statement: dict[int, set[int]] = {}
        sent: dict[tuple[str, str], set[int]] = {}
        troubled: set[int] = set()
        rows = connection.execute(
            "SELECT document_id, statement_id, transaction_name, request, outcome FROM attempts"
        ).fetchall()
        for document, statement, *_ in rows:
            if statement is not None and document is not None:
                on_statement.setdefault(statement, set()).add(document)
        for document, statement, name, request, result in rows:
            owners = {document} if document is not None else on_statement.get(statement, set())
            sent.setdefault((name, _canonical(json.loads(request))), set()).update(owners)
            if result != "done":
                troubled |= owners
        for lost in self.line.lost:
            owners = sent.get((lost.transaction, _canonical(lost.record)), set())
            outcome.lost_writes += 1
            outcome.happened += lost.happened
            undecided = any("in_doubt_unresolved" in documents[each][2] for each in owners)
            outcome.to_a_person += undecided
            outcome.settled += not undecided
        return {documents[each][0] for each in troubled}


@dataclass(slots=True)
class _Process:
    """One life of the target."""

    simulation: Simulation
    number: int
    baton: Baton | None
    dead: bool = False
    _ledger: SimulatedLedger = field(init=False)
    _locked: sqlite3.Connection | None = None

    def run(self, delivered: Sequence[exports.Record]) -> None:
        """Take records in and work the ledger off."""
        simulation = self.simulation
        time, settings = simulation.world.time, simulation.settings
        self._ledger = SimulatedLedger(settings.ledger_url)
        self._ledger.moment = self._moment
        self._ledger.before_write = self._before_write
        line = simulation.line
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
            timeout_seconds=line.timeout,
            max_transactions=int(settings["max_transactions_per_request"]),
            session=wire.session,
        )
        with gateway:
            work_off(prepare(settings, self._ledger, gateway, clock=clock, worker=self._name()))

    def close(self) -> None:
        """Give back what a dead process gives back."""
        if self._locked is not None:
            self._locked.close()
        self._ledger.close()

    def _name(self) -> str:
        # A lone process that ended is known as dead; of two on other hosts only the lease tells.
        where = "here" if self.baton else socket.gethostname()
        return f"{where}/{2**22 + self.number}/0/{self.simulation.chance.getrandbits(32):08x}"

    def _pacer(self) -> Pacer:
        time = self.simulation.world.time
        return Pacer(60_000, store=OwnBudget(time.monotonic), sleep=self._sleep, wall_clock=time.true_now)

    def _serve(self, url: str, body: bytes) -> Any:
        line = self.simulation.line
        line.moment = self._moment
        self._pass_on()
        answer = line.serve(url, body)
        self._pass_on()
        return answer

    def _sleep(self, seconds: float) -> None:
        if self.baton is None:
            self.simulation.world.time.sleep(seconds)
        else:
            self.baton.pass_on(self.number, seconds)
        self._moment("asleep")

    def _stopped_for(self) -> float:
        """Now and then one of two workers stands still for longer than its lease, as under SIGSTOP."""
        simulation = self.simulation
        if self.baton is None or simulation.chance.random() >= _STOPPED:
            return 0.0
        simulation.hits["stopped beyond its lease"] = simulation.hits.get("stopped beyond its lease", 0) + 1
        return 3.0 * LEASE

    def _pass_on(self, seconds: float = 0.0) -> None:
        if self.baton is not None:
            self.baton.pass_on(self.number, seconds)

    def _moment(self, name: str) -> None:
        """A moment at which a process may die."""
        simulation = self.simulation
        if self.dead:
            raise DiedError("already")
        if name in DEATHS and simulation._deaths and simulation.chance.random() < simulation._death_rate:
            simulation._deaths -= 1
            self.dead = True
            raise DiedError(name)

    def _before_write(self) -> None:
        """The process may be stopped for a while, its disk full, or another program hold the ledger."""
        self._pass_on(self._stopped_for())
        if self.dead:
            raise DiedError("already")
        simulation = self.simulation
        self._ledger.full = False
        if self._locked is not None:
            self._locked.close()
            self._locked = None
        if simulation._ledger_faults and simulation.chance.random() < 0.03:
            simulation._ledger_faults -= 1
            kind = simulation.chance.choice(["disk full", "ledger locked"])
            simulation.hits[kind] = simulation.hits.get(kind, 0) + 1
            if kind == "disk full":
                self._ledger.full = True
            else:
                self._locked = sqlite3.connect(
                    simulation.ledger_path, isolation_level=None, timeout=0, check_same_thread=False
                )
                self._locked.execute("BEGIN IMMEDIATE")


def _canonical(record: dict[str, str]) -> str:
    return json.dumps(record, sort_keys=True)


_WARM: dict[tuple[str, Path], Path] = {}


def _warm_ledger(tenant: str, directory: Path) -> Path:
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
            prepare(settings, ledger, gateway, clock=Clock(world.time.now, world.time.sleep))
        ledger.close()
        _WARM[key] = path
    return _WARM[key]
