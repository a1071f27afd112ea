"""What M3 shows of the batches that documents have opened: heads, lines, and others under the same number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work

#: M3's default and its grids' caps are whole hundreds: a list of that length may be cut, and is read on.
_SMELLS_OF_A_CAP = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """One batch as M3 shows it.

    Attributes:
        head: GetHead's record; None where M3 shows none.
        lines: LstLines' records, all of them.
        refused: What M3 said instead, '' where it answered everything.
    """

    head: dict[str, str] | None
    lines: tuple[dict[str, str], ...]
    refused: str


def by_program(works: Sequence[Work]) -> list[list[Work]]:
    """Works in groups that can share a request: one company, one AP program; in a fixed order."""
    groups: dict[tuple[int, str], list[Work]] = defaultdict(list)
    for work in works:
        groups[work.company.cono, work.company.program.name].append(work)
    return [groups[key] for key in sorted(groups)]


def look_at(context: Context, works: Sequence[Work]) -> list[Seen]:
    """Head and lines of each document's batch, in bulk, in the order of the works."""
    return with_lines(context, works, read_heads(context, works))


def with_lines(context: Context, works: Sequence[Work], heads: Mapping[int, Answer]) -> list[Seen]:
    """The same where the heads were read already."""
    lines = _read_lines(context, works)
    return [_seen(heads[work.document.id], *lines[work.document.id]) for work in works]


def read_heads(context: Context, works: Sequence[Work]) -> dict[int, Answer]:
    """GetHead of each document's batch, by document id."""
    found: dict[int, Answer] = {}
    for group in by_program(works):
        company = group[0].company
        questions = [
            company.program.get_head(inbn=work.document.inbn, divi=work.invoice.divi) for work in group
        ]
        answers = context.gateway.read(company.program.name, questions, cono=company.cono)
        found.update((work.document.id, answer) for work, answer in zip(group, answers, strict=True))
    return found


def others_under_number(context: Context, works: Sequence[Work]) -> dict[int, list[str]]:
    """The INBN of batches under each document's number that are not its own, by document id."""
    found: dict[int, list[str]] = {}
    for group in by_program(works):
        company = group[0].company
        questions = [
            company.program.batches_of(
                payee=work.invoice.payee,
                supplier=work.invoice.supplier,
                number=work.invoice.number,
                divi=work.invoice.divi,
            )
            for work in group
        ]
        answers = context.gateway.read(company.program.name, questions, cono=company.cono)
        for work, answer in zip(group, answers, strict=True):
            listed = [record.get("INBN", "") for record in answer.records]
            found[work.document.id] = [inbn for inbn in listed if inbn != work.document.inbn]
    return found


def _read_lines(context: Context, works: Sequence[Work]) -> dict[int, tuple[tuple[dict[str, str], ...], str]]:
    """LstLines of each document's batch to its end, and what M3 said where it refused; by document id."""
    rows: dict[int, dict[str, dict[str, str]]] = {work.document.id: {} for work in works}
    refused: dict[int, str] = defaultdict(str)
    for group in by_program(works):
        company = group[0].company
        reading = {work.document.id: (work, "") for work in group}
        while reading:
            questions = [
                company.program.list_lines(inbn=work.document.inbn, divi=work.invoice.divi, start=start)
                for work, start in reading.values()
            ]
            answers = context.gateway.read(company.program.name, questions, cono=company.cono)
            further = {}
            for (key, (work, _)), answer in zip(reading.items(), answers, strict=True):
                known = len(rows[key])
                rows[key].update((record.get("TRNO", ""), record) for record in answer.records)
                if answer.outcome is Outcome.REFUSED:
                    refused[key] = str(answer.error)
                cut = bool(answer.records) and len(answer.records) % _SMELLS_OF_A_CAP == 0
                if cut and len(rows[key]) > known:
                    further[key] = (work, answer.records[-1].get("TRNO", ""))
            reading = further
    return {key: (tuple(found.values()), refused[key]) for key, found in rows.items()}


def _seen(head: Answer, lines: tuple[dict[str, str], ...], lines_refused: str) -> Seen:
    refused = str(head.error) if head.outcome is Outcome.REFUSED else lines_refused
    return Seen(head.records[0] if head.records else None, lines, refused)
