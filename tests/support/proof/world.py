"""An M3 in this process on a clock that a test owns, reached through real HTTP objects without a socket."""

from __future__ import annotations

import heapq
import io
import itertools
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from stampli_infor_sandbox.gateway.execute import parse_bulk, run
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_database
from stampli_infor_sandbox.m3.engine import M3
from stampli_infor_sandbox.m3.master import Master
from stampli_infor_sandbox.m3.posting import finish_due
from stampli_infor_sandbox.m3.programs import HANDLERS
from stampli_infor_sandbox.scenarios.base import install
from stampli_infor_sandbox.scenarios.sample import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stampli_infor_sandbox.gateway.execute import Execution

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)


@dataclass(slots=True)
class Time:
    """A clock that moves when somebody sleeps. ``step`` is how far the target's wall clock is off."""

    elapsed: float = 0.0
    step: timedelta = timedelta()
    _due: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def true_now(self) -> datetime:
        """The moment for M3 and everybody else."""
        return BEGIN + timedelta(seconds=self.elapsed)

    def now(self) -> datetime:
        """The moment on the target's wall clock."""
        return self.true_now() + self.step

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.elapsed

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Do something once so many seconds have passed."""
        heapq.heappush(self._due, (self.elapsed + seconds, next(self._count), what))

    def sleep(self, seconds: float) -> None:
        """Move on, and do on the way what falls due."""
        until = self.elapsed + max(seconds, 0.0)
        while self._due and self._due[0][0] <= until:
            moment, _, what = heapq.heappop(self._due)
            self.elapsed = max(self.elapsed, moment)
            what()
        self.elapsed = until


@dataclass(slots=True)
class World:
    """One tenant's M3 with its gateway."""

    time: Time
    m3: M3

    @property
    def connection(self) -> sqlite3.Connection:
        """M3's database."""
        return self.m3.connection

    def books(self) -> dict[str, Any]:
        """What stands in M3 now."""
        return books(self.connection)

    def execute(self, execution: Execution, *, stop_after: int | None = None, drop: bool = False) -> Any:
        """Run a request's transactions, as the sandbox does."""
        finish_due(self.m3)
        return run(self.m3, execution, stop_after=stop_after, drop=drop)

    def hold(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Invoices that stand in M3 from elsewhere."""
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            self.connection.execute(
                f"INSERT INTO invoice ({names}) VALUES ({marks})",  # noqa: S608 - our own names
                tuple(row.values()),
            )


_TEMPLATE: list[tuple[sqlite3.Connection, Master]] = []


def new_world(tenant: str, *, validation_seconds: float = 0.3) -> World:
    """A fresh M3 with the sandbox's sample master data."""
    if not _TEMPLATE:
        made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        source = open_database(Path(":memory:"))
        master = Master()
        install(empty(), source, master)
        source.backup(made)
        _TEMPLATE.append((made, master))
    template, master = _TEMPLATE[0]
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    template.backup(connection)
    time = Time()
    m3 = M3(
        connection=connection,
        master=master,
        handlers=HANDLERS,
        tenant_name=tenant,
        validation_delay=validation_seconds,
        clock=time.true_now,
    )
    return World(time, m3)


# -- HTTP without a socket ---------------------------------------------------------------------------------

#: Status, headers and body of an answer.
Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class Wire(BaseAdapter):
    """What `requests` sends through: each request goes to ``serve``, each answer comes as urllib3 makes it.

    Args:
        serve: Takes the request's path and body; gives status, headers and body, or raises as a socket does.
    """

    def __init__(self, serve: Callable[[str, bytes], Answer]) -> None:
        super().__init__()
        self._serve = serve
        self._builder = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """Hand over one request."""
        body: Any = request.body or b""
        status, headers, content = self._serve(
            str(request.url), body if isinstance(body, bytes) else body.encode()
        )
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(content),
            headers={"Content-Length": str(len(content))} | dict(headers),
            status=status,
            preload_content=False,
            request_method="POST",
        )
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""

    def session(self) -> requests.Session:
        """A session whose requests go through this wire."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Accept"] = "application/json"
        session.mount("http://", self)
        return session


IONAPI = json.dumps(
    {"ti": "SIM_TST", "cn": "simulation", "dt": "12", "ci": "SIM_TST~client", "cs": "secret-of-nobody",
     "iu": "http://127.0.0.1:9", "pu": "http://127.0.0.1:9/SIM_TST/as/", "oa": "authorization.oauth2",
     "ot": "token.oauth2", "or": "revoke_token.oauth2", "saak": "SIM_TST#key", "sask": "secret-of-nobody"}
)  # fmt: skip


def parse(body: bytes) -> Execution:
    """A bulk request."""
    return parse_bulk(body.decode())


def transactions(execution: Execution) -> list[tuple[str, dict[str, str]]]:
    """Name and record of each transaction."""
    return [(step.transaction, dict(step.record)) for step in execution.steps]
