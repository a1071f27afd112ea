"""Whole lists from transactions that cap their answers and have no offset: page on by key.

A truncated list proves nothing about absence, so an answer that may have been cut is always followed up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.errors import GatewayRefused, GatewayUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ion.gateway import Gateway

PAGE_SIZE = 1000
_SMELLS_OF_A_CAP = 100  # M3's default and its grids' caps are all whole hundreds


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedList:
    """A list transaction that starts at a key.

    Attributes:
        program: the MI program.
        transaction: the list transaction.
        start: its input field that says where to start, the start included.
        key: the output field that carries the key.
        columns: the output fields that are wanted, `key` among them.
    """

    program: str
    transaction: str
    start: str
    key: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    query: Mapping[str, str]
    start: str = ""
    rows: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    done: bool = False


def read_keyed(
    gateway: Gateway,
    what: KeyedList,
    queries: Sequence[Mapping[str, str]],
    *,
    cono: int,
    page_size: int = PAGE_SIZE,
) -> list[list[dict[str, str]]]:
    """Read lists to their ends; the pages of all lists that are not at their end share requests.

    Args:
        gateway: to M3.
        what: the list transaction.
        queries: the input fields of each list, without the start.
        cono: the company.
        page_size: records asked for at once.

    Returns:
        For each query its rows, each once, in M3's order.

    Raises:
        GatewayRefused: M3 refuses the list for another reason than having no rows.
        GatewayUnavailable: no useful answer, or pages that do not move on.
    """
    readings = [_Reading(query) for query in queries]
    while open_ones := [reading for reading in readings if not reading.done]:
        asked = [
            Transaction(
                what.transaction,
                {**reading.query, what.start: reading.start} if reading.start else dict(reading.query),
                what.columns,
            )
            for reading in open_ones
        ]
        answers = gateway.read(what.program, asked, cono=cono, max_records=page_size)
        for reading, answer in zip(open_ones, answers, strict=True):
            _take(reading, rows_of(answer, what.program, what.transaction), what=what, page_size=page_size)
    return [list(reading.rows.values()) for reading in readings]


def rows_of(answer: Answer, program: str, transaction: str) -> tuple[dict[str, str], ...]:
    """Return the records of a list; none where M3 says that there are none (codes ending in 03).

    Raises:
        GatewayRefused: M3 refuses it for another reason.
    """
    if answer.outcome is Outcome.DONE:
        return answer.records
    if answer.error is not None and answer.error.code.endswith("03"):
        return ()
    raise GatewayRefused(
        f"M3 refuses {program}/{transaction}: {answer.error}",
        what_to_do=f"Check that the service account's M3 user may run {program} in this company",
    )


def _take(reading: _Reading, page: Sequence[dict[str, str]], *, what: KeyedList, page_size: int) -> None:
    known = len(reading.rows)
    for row in page:
        reading.rows.setdefault(tuple(row.get(column, "") for column in what.columns), row)
    capped = bool(page) and (len(page) >= page_size or len(page) % _SMELLS_OF_A_CAP == 0)
    if not capped:
        reading.done = True
        return
    last = page[-1].get(what.key, "")
    if len(reading.rows) > known and last != reading.start:
        reading.start = last
    elif len(page) < page_size:  # a whole hundred by chance: asked again, nothing more came
        reading.done = True
    else:
        raise GatewayUnavailable(
            f"{what.program}/{what.transaction} answers with the same {len(page)} records again "
            f"from {what.key} {last!r} on, so the list cannot be read to its end",
            what_to_do="Raise the tenant's limit of records for this list transaction, or report this",
        )
