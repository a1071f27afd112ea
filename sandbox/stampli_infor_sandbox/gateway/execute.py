"""The two M3 REST calls as they are parsed, run and answered: a single GET and a bulk POST."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.m3.engine import Request, error_of
from stampli_infor_sandbox.m3.errors import Nok

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stampli_infor_sandbox.m3.engine import M3

_OPTIONS = {"cono", "divi", "maxrecs", "excludeempty", "righttrim", "returncols", "dateformat", "format",
            "extendedresult"}  # fmt: skip
DEFAULT_RECORDS = 100
"""What a list gives when nothing is asked; 0 asks for all."""


class BadRequest(ValueError):  # noqa: N818 - HTTP's name for it
    """The HTTP request itself is wrong (status 400, nothing ran)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a request."""

    transaction: str
    record: Mapping[str, Any]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """A parsed request: ``bulk`` answers NOK within HTTP 200, a single GET with HTTP 400."""

    request: Request
    steps: tuple[Step, ...]
    bulk: bool

    def matched(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Transaction and record of each step."""
        return [(step.transaction, step.record) for step in self.steps]


@dataclass(slots=True)
class Result:
    """What running a request gave: HTTP status, body, and a line for the log per transaction."""

    status: int
    body: dict[str, Any]
    log: list[dict[str, Any]] = field(default_factory=list)


def parse_single(program: str, transaction: str, query: Mapping[str, str]) -> Execution:
    """A GET: upper-case parameters are fields, lower-case ones options.

    Raises:
        BadRequest: An option is unknown or has a wrong value.
    """
    record = {k: v for k, v in query.items() if k.isupper()}
    options = {k: v for k, v in query.items() if not k.isupper()}
    strange = sorted(set(options) - _OPTIONS)
    if strange:
        raise BadRequest(f"unknown parameters {', '.join(strange)}")
    request = Request(
        program=program,
        cono=options.get("cono", ""),
        divi=options.get("divi", ""),
        max_records=_whole(options.get("maxrecs", DEFAULT_RECORDS), "maxrecs"),
        exclude_empty=options.get("excludeempty") == "true",
        right_trim=options.get("righttrim", "true") == "true",
    )
    columns = tuple(c for c in options.get("returncols", "").split(",") if c)
    return Execution(request=request, steps=(Step(transaction, record, columns),), bulk=False)


def parse_bulk(text: str) -> Execution:
    """A POST.

    Raises:
        BadRequest: No JSON, or not of the shape of a bulk call.
    """
    try:
        body = json.loads(text)
    except ValueError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("program"), str):
        raise BadRequest("program is missing")
    transactions = body.get("transactions")
    if not isinstance(transactions, list) or not transactions:
        raise BadRequest("transactions is missing or empty")
    request = Request(
        program=body["program"],
        cono="" if body.get("cono") is None else str(body["cono"]),
        divi=str(body.get("divi") or ""),
        max_records=_whole(body.get("maxReturnedRecords", DEFAULT_RECORDS), "maxReturnedRecords"),
        exclude_empty=bool(body.get("excludeEmptyValues", False)),
        right_trim=bool(body.get("rightTrim", True)),
    )
    return Execution(request=request, steps=tuple(_step(t) for t in transactions), bulk=True)


def run(m3: M3, execution: Execution, *, stop_after: int | None = None, drop: bool = False) -> Result:
    """Run the transactions in order; each is committed before the next starts.

    Args:
        m3: M3.
        execution: The request.
        stop_after: Terminate the bulk call after so many transactions.
        drop: With ``stop_after``: leave the results of the rest out, without saying ``wasTerminated``.
    """
    results: list[dict[str, Any]] = []
    log: list[dict[str, Any]] = []
    done = failed = 0
    last: Nok | None = None
    count = len(execution.steps) if stop_after is None else min(stop_after, len(execution.steps))
    for step in execution.steps[:count]:
        result: dict[str, Any] = {"transaction": step.transaction, "records": []}
        entry: dict[str, Any] = {
            "transaction": step.transaction,
            "record": dict(step.record),
            "outcome": "OK",
        }
        try:
            result["records"] = m3.run(execution.request, step.transaction, step.record, step.columns)
            done += 1
        except Nok as nok:
            result |= error_of(nok) | {"notProcessed": False}
            entry |= {"outcome": "NOK", "error": f"{nok.code} {nok.message}"}
            failed += 1
            last = nok
        results.append(result)
        log.append(entry)
    rest = execution.steps[count:]
    log += [{"transaction": s.transaction, "record": dict(s.record), "outcome": "not run"} for s in rest]
    terminated = bool(rest) and not drop
    if terminated:
        results += [{"transaction": s.transaction, "records": [], "notProcessed": True} for s in rest]
    body: dict[str, Any] = {
        "results": results,
        "wasTerminated": terminated,
        "nrOfSuccessfullTransactions": done,
        "nrOfFailedTransactions": failed,
        "nrOfNotProcessedTransactions": len(rest),
    }
    if terminated:
        body |= {"terminationReason": "Bulk job was terminated", "terminationErrorType": "Terminated"}
    if execution.bulk:
        return Result(200, body | {"bulkJobId": uuid.uuid4().hex}, log)
    if last is not None:
        return Result(400, error_of(last) | {"program": execution.request.program, **body}, log)
    return Result(200, body, log)


def _step(data: Any) -> Step:
    if not isinstance(data, dict) or not isinstance(data.get("transaction"), str):
        raise BadRequest("a transaction has no name")
    record = data.get("record", {})
    if not isinstance(record, dict):
        raise BadRequest(f"the record of {data['transaction']} is no object")
    return Step(data["transaction"], record, tuple(data.get("selectedColumns") or ()))


def _whole(value: Any, name: str) -> int:
    text = str(value)
    if not text.isdigit():
        raise BadRequest(f"{name} must be a whole number: {text}")
    return int(text)
