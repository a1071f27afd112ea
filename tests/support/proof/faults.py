"""Faults drawn from a seed: what can happen to a request on its way to M3 and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from proof.names import WRITES
from proof.world import JSON, parse, transactions

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from stampli_infor_sandbox.gateway.execute import Execution

    from proof.world import Answer, World

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_POOL = urllib3.HTTPConnectionPool("127.0.0.1", 9)
#: What can happen to a request. The share of each is its weight.
KINDS = {
    "refused": 2, "reset before": 3, "reset after": 4, "timeout before": 3, "timeout after": 4,
    "5xx before": 3, "5xx after": 4, "late": 4, "truncated": 3, "broken json": 2, "html": 2, "401": 3,
    "401 for good": 1, "403": 1, "429 bare": 2, "429 seconds": 2, "429 date": 2, "terminated": 4,
    "dropped": 3, "slow": 3, "not numbered": 1,
}  # fmt: skip
#: Those after which nobody can tell whether M3 did it.
UNKNOWN = frozenset(
    {"reset before", "reset after", "timeout before", "timeout after", "5xx before", "5xx after", "late",
     "truncated", "broken json", "html"}
)  # fmt: skip
#: A fault of a question is seldom of interest: it is asked again.
_SHARE_OF_READS = 0.1
#: More batches under one number than any list is asked for.
_MANY = 100


@dataclass(slots=True)
class Lost:
    """A write whose end the target cannot know: which, and whether M3 did it."""

    transaction: str
    record: dict[str, str]
    fault: str
    happened: bool = False


@dataclass(slots=True)
class Line:
    """The line between a target and M3, with the faults that a seed puts on it.

    Attributes:
        world: M3.
        chance: Where the faults come from.
        budget: How many requests may still be hit.
        rate: How likely one is.
        latest: Work after a 504 is done within this many seconds.
        timeout: How long the target waits.
        strangers: How likely somebody else enters the number of a lost head meanwhile.
        lost: Every write whose answer was lost.
        hits: How often each kind of fault was met.
        moment: Told of each moment at which a process may die.
    """

    world: World
    chance: Random
    budget: int = 0
    rate: float = 0.0
    latest: float = 100.0
    timeout: float = 60.0
    strangers: float = 0.2
    lost: list[Lost] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    moment: Callable[[str], None] = lambda _name: None
    _tokens: int = 0
    _expired: bool = False
    _refusing: bool = False

    def calm(self) -> None:
        """No more faults."""
        self.budget, self._expired, self._refusing = 0, False, False

    def serve(self, url: str, body: bytes) -> Answer:
        """One request, with whatever happens to it."""
        self.moment("before sending")
        self.world.time.sleep(0.05)
        if url.endswith("token.oauth2"):
            self._tokens += 1
            self._expired = False
            return _as_json(200, {"access_token": f"token-{self._tokens}", "expires_in": 7200})
        if self._expired or self._refusing:
            return _as_json(401, {"message": "expired"})
        execution = parse(body)
        kind = self._draw(execution)
        if kind:
            self.hits[kind] = self.hits.get(kind, 0) + 1
        writes = [Lost(name, record, kind) for name, record in transactions(execution) if name in WRITES]
        answer = _Request(self, execution, writes, kind).answer()
        self.moment("after the answer")
        return answer

    def _draw(self, execution: Execution) -> str:
        writes = any(name in WRITES for name, _ in transactions(execution))
        if self.budget <= 0 or self.chance.random() >= self.rate * (1.0 if writes else _SHARE_OF_READS):
            return ""
        self.budget -= 1
        return self.chance.choices(list(KINDS), list(KINDS.values()))[0]

    def refuse_tokens(self, *, for_good: bool) -> None:
        """The token has expired; new ones are no better where it is for good."""
        self._expired, self._refusing = True, for_good


@dataclass(slots=True)
class _Request:
    """One request and what happens to it."""

    line: Line
    execution: Execution
    writes: list[Lost]
    kind: str

    def answer(self) -> Answer:
        if self.kind in UNKNOWN:
            self.line.lost += self.writes
            self._stranger()
        return getattr(self, f"_{self.kind.replace(' ', '_') or 'well'}")()  # type: ignore[no-any-return]

    def _work(self, *, stop_after: int | None = None, drop: bool = False) -> Any:
        result = self.line.world.execute(self.execution, stop_after=stop_after, drop=drop)
        steps = [step for step in result.log if step["transaction"] in WRITES]
        for each, step in zip(self.writes, steps, strict=True):
            each.happened = step["outcome"] == "OK"
        return result

    def _worked(self) -> bytes:
        body = json.dumps(self._work().body).encode()
        self.line.moment("after the work")
        return body

    def _well(self) -> Answer:
        return 200, JSON, self._worked()

    # -- no answer -------------------------------------------------------------------------------------

    def _refused(self) -> Answer:
        # Typed for a connection; what is read of it is its type.
        reason: Any = NewConnectionError(_POOL, "refused")  # type: ignore[arg-type]
        raise requests.ConnectionError(MaxRetryError(_POOL, "/", reason))

    def _reset_before(self) -> Answer:
        raise requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset")))

    def _reset_after(self) -> Answer:
        self._worked()
        return self._reset_before()

    def _timeout_before(self) -> Answer:
        self.line.world.time.sleep(self.line.timeout)
        raise requests.ReadTimeout(ReadTimeoutError(_POOL, "/", "timed out"))

    def _timeout_after(self) -> Answer:
        self._worked()
        return self._timeout_before()

    # -- an answer that says nothing -------------------------------------------------------------------

    def _5xx_before(self) -> Answer:
        return _as_json(self.line.chance.choice([500, 502, 503, 504]), {"message": "gateway"})

    def _5xx_after(self) -> Answer:
        self._worked()
        return self._5xx_before()

    def _late(self) -> Answer:
        self.line.world.time.later(self.line.chance.uniform(0.0, self.line.latest), self._work)
        return _as_json(504, {"message": "timeout"})

    def _truncated(self) -> Answer:
        whole = self._worked()
        cut = whole[: self.line.chance.randrange(len(whole))]
        return 200, JSON | {"Content-Length": str(len(whole))}, cut

    def _broken_json(self) -> Answer:
        whole = self._worked()
        return 200, JSON, whole[: self.line.chance.randrange(len(whole))]

    def _html(self) -> Answer:
        self._worked()
        return 200, {"Content-Type": "text/html"}, _HTML

    # -- turned away -----------------------------------------------------------------------------------

    def _401(self) -> Answer:
        self.line.refuse_tokens(for_good=False)
        return _as_json(401, {"message": "expired"})

    def _401_for_good(self) -> Answer:
        self.line.refuse_tokens(for_good=True)
        return _as_json(401, {"message": "expired"})

    def _403(self) -> Answer:
        return _as_json(403, {"message": "no right"})

    def _429_bare(self) -> Answer:
        return _as_json(429, {"message": "spike arrest"})

    def _429_seconds(self) -> Answer:
        return _as_json(429, {"message": "spike arrest"}, {"Retry-After": "7"})

    def _429_date(self) -> Answer:
        until = format_datetime(self.line.world.time.true_now() + timedelta(seconds=5), usegmt=True)
        return _as_json(429, {"message": "spike arrest"}, {"Retry-After": until})

    # -- in part, late, without what was asked for -----------------------------------------------------

    def _terminated(self, *, drop: bool = False) -> Answer:
        steps = [name for name, _ in transactions(self.execution)]
        count = self.line.chance.randrange(len(steps) + 1)
        if drop:
            self.line.lost += self.writes[len([name for name in steps[:count] if name in WRITES]) :]
        result = self._work(stop_after=count, drop=drop)
        self.line.moment("after the work")
        return _as_json(200, result.body)

    def _dropped(self) -> Answer:
        return self._terminated(drop=True)

    def _slow(self) -> Answer:
        body = self._worked()
        self.line.world.time.sleep(self.line.chance.uniform(1.0, self.line.timeout * 0.9))
        return 200, JSON, body

    def _not_numbered(self) -> Answer:
        document = self._work().body
        if self.writes:
            self.line.lost += [each for each in self.writes if each.transaction.startswith(("AddH", "AddL"))]
            for each in document["results"]:
                each["records"] = []
        return _as_json(200, document)

    def _stranger(self) -> None:
        """While our head is in doubt, somebody enters its number in M3 by hand: one batch, or very many."""
        line = self.line
        heads = [step for step in self.execution.steps if step.transaction == "AddHead"]
        if not heads or line.chance.random() >= line.strangers:
            return
        line.hits["stranger"] = line.hits.get("stranger", 0) + 1
        record = {name: value for name, value in heads[0].record.items() if name != "CORI"} | {"CUAM": "1"}
        for _ in range(line.chance.choice([1, 1, 1, _MANY])):
            line.world.m3.run(self.execution.request, "AddHead", record)


def _as_json(status: int, document: Any, headers: dict[str, str] | None = None) -> Answer:
    return status, JSON | (headers or {}), json.dumps(document).encode()
