"""What M3 answered to each transaction of a request, and what that proves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_infor_cloudsuite.ion.transport import Reply

_OK, _BAD_REQUEST = 200, 400
_NOK = "ServerReturnedNOK"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One MI transaction: its name, its input fields as MI texts, and the output fields that are wanted."""

    name: str
    record: Mapping[str, str]
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The transaction as an element of a bulk request."""
        element: dict[str, Any] = {"transaction": self.name, "record": dict(self.record)}
        if self.columns:
            element["selectedColumns"] = list(self.columns)
        return element


class Outcome(Enum):
    """The fate of one transaction."""

    DONE = "done"
    """M3 executed it."""
    REFUSED = "refused"
    """M3 said no (NOK); it changed nothing."""
    NOT_RUN = "not run"
    """It certainly was not executed; sending it again is harmless."""
    IN_DOUBT = "in doubt"
    """It may have been executed; M3 must be asked before anything else."""


@dataclass(frozen=True, slots=True)
class MiError:
    """M3's own words on a refused transaction, without their padding."""

    code: str
    type: str
    field: str
    message: str

    def __str__(self) -> str:
        at = f" (field {self.field})" if self.field else ""
        return f"{self.code or self.type}{at}: {self.message}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one transaction.

    `records` are M3's output records (one for a Get or Add), values with trailing blanks removed.
    `error` is there when REFUSED, and elsewhere when M3 gave a reason.
    `detail` says what the transport saw when the outcome is NOT_RUN or IN_DOUBT; it holds no secret.
    """

    outcome: Outcome
    records: tuple[dict[str, str], ...] = ()
    error: MiError | None = None
    detail: str = ""


def all_of(outcome: Outcome, count: int, detail: str) -> list[Answer]:
    """The same answer for each transaction of a request."""
    return [Answer(outcome, detail=detail)] * count


def parse_reply(reply: Reply, transactions: Sequence[Transaction]) -> list[Answer]:
    """Read M3's answer: one `Answer` for each transaction, in their order.

    M3's NOK comes as HTTP 200 or as HTTP 400, in `results` or at the top level: all four are understood.

    Raises:
        LostError: this is no answer of M3's, or not one to this request; nothing is known of any transaction.
    """
    if reply.status not in {_OK, _BAD_REQUEST}:
        raise reply.as_fault()
    try:
        # Numbers stay the text that they are in the answer: nothing here may become a float.
        document = json.loads(reply.body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise reply.as_fault() from None
    if not isinstance(document, dict):
        raise reply.as_fault()
    results = document.get("results")
    results = results if isinstance(results, list) else []
    if not _stands_for(results, transactions):
        raise reply.as_fault()
    answers = [_answer(result) for result in results]
    missing = len(transactions) - len(answers)
    if not missing:
        return answers
    if _true(document.get("wasTerminated")):
        return answers + _terminated(document, missing)
    error = _error(document)
    if not results and error is not None:
        return _top_level(error, reply, len(transactions))
    if not results and reply.status == _BAD_REQUEST:
        raise reply.as_fault()
    if not results and "results" not in document:
        raise reply.as_fault()
    return answers + all_of(
        Outcome.IN_DOUBT, missing, f"M3 answered {len(answers)} of {len(transactions)} transactions"
    )


def _stands_for(results: list[Any], transactions: Sequence[Transaction]) -> bool:
    """Whether these can be the results of these transactions, in their order."""
    return len(results) <= len(transactions) and all(
        isinstance(result, dict) and str(result.get("transaction") or asked.name) == asked.name
        for result, asked in zip(results, transactions, strict=False)
    )


def _answer(result: dict[str, Any]) -> Answer:
    error = _error(result)
    if _true(result.get("notProcessed")):
        return Answer(Outcome.NOT_RUN, error=error, detail="M3 did not process it")
    if error is not None:
        return _refused(error)
    records = result.get("records")
    rows = records if isinstance(records, list) else []
    return Answer(Outcome.DONE, tuple(_record(row) for row in rows if isinstance(row, dict)))


def _refused(error: MiError) -> Answer:
    if error.code or error.type in {"", _NOK}:
        return Answer(Outcome.REFUSED, error=error)
    # No NOK: something between the gateway and the MI program failed, perhaps after the program had run.
    return Answer(Outcome.IN_DOUBT, error=error, detail=f"M3's API reports {error.type}")


def _top_level(error: MiError, reply: Reply, count: int) -> list[Answer]:
    if count == 1:
        return [_refused(error)]
    detail = f"HTTP {reply.status}: one refusal for {count} transactions"
    return [Answer(Outcome.IN_DOUBT, error=error, detail=detail)] * count


def _terminated(document: dict[str, Any], missing: int) -> list[Answer]:
    reason = " ".join(str(document.get("terminationReason") or "no reason given").split())[:200]
    detail = f"M3 ended the request before this transaction: {reason}"
    stated = document.get("nrOfNotProcessedTransactions")
    not_run = int(stated) if isinstance(stated, str) and stated.isdecimal() else missing
    # Where M3 counts fewer as not processed than are missing, the first of them was under way.
    doubtful = max(missing - not_run, 0)
    return [
        *all_of(Outcome.IN_DOUBT, doubtful, "M3 ended the request, perhaps during this transaction"),
        *all_of(Outcome.NOT_RUN, missing - doubtful, detail),
    ]


def _error(holder: dict[str, Any]) -> MiError | None:
    code, kind, field, message = (
        " ".join(str(holder.get(key) or "").split())
        for key in ("errorCode", "errorType", "errorField", "errorMessage")
    )
    return MiError(code, kind, field, message) if code or kind or message else None


def _record(record: dict[str, Any]) -> dict[str, str]:
    return {str(name): "" if value is None else str(value).rstrip() for name, value in record.items()}


def _true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
