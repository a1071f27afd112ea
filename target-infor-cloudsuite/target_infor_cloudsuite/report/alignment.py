"""Stampli's vendors and GL accounts beside M3's, counted; what needs a look is named. M3 is not asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks

from target_infor_cloudsuite.alignment import align, kept_reference
from target_infor_cloudsuite.ledger import figures as ledger_figures
from target_infor_cloudsuite.report import words
from target_infor_cloudsuite.report.figures import AlignmentFigures, AlignmentRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from stampli_infor_transforms.alignment import Alignment

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.settings import Settings

ROWS_SHOWN: Final = 8
LISTS_SHOWN: Final = 12
#: To look for what M3 lacks takes its time, and every run makes a report.
RECORDS_ALIGNED: Final = 5_000
OUTCOMES: Final = ("matched", "renamed", "ambiguous", "blocked", "unmatched")


def alignments(tx: Tx, settings: Settings, today: date) -> tuple[tuple[AlignmentFigures, ...], str]:
    """Each list beside each M3 company that was read; and why there is none, '' where nothing is wrong."""
    records = ledger_figures.count_source_records(tx)
    companies = ledger_figures.kept_companies(tx)
    if not records or not companies:
        return (), ""
    if records > RECORDS_ALIGNED:
        return (), f"There are {records:,} of them; `cloudsuite-ap reference align` compares so many."
    try:
        crosswalks = Crosswalks.load(settings.crosswalk_dir)
    except CrosswalkError as fault:
        return (), str(fault)
    lists: dict[tuple[int | None, str], list[Alignment]] = defaultdict(list)
    for each in align(tx, crosswalks, settings.policy, kept_reference(tx, companies), on=today):
        lists[each.cono, each.stream].append(each.row)
    return tuple(_figures(*key, rows) for key, rows in lists.items())[:LISTS_SHOWN], ""


def _figures(cono: int | None, stream: str, rows: Sequence[Alignment]) -> AlignmentFigures:
    counted = Counter(row.outcome for row in rows)
    worst = sorted(
        (row for row in rows if row.outcome != "matched"), key=lambda row: -OUTCOMES.index(row.outcome)
    )
    return AlignmentFigures(
        stream=stream,
        cono=cono,
        counts={outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]},
        rows=tuple(
            AlignmentRow(
                code=words.name(row.code),
                name=words.name(row.name),
                outcome=row.outcome,
                text=words.text(row.text),
            )
            for row in worst[:ROWS_SHOWN]
        ),
    )
