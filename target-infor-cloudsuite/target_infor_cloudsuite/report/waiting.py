"""What waits for a person, and why: counted by group and reason in one pass, whatever its number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.groups import GROUPS, group_of, group_of_document
from stampli_infor_transforms.reasons import REASONS

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger import figures as ledger_figures
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.report import words
from target_infor_cloudsuite.report.figures import Age, CodeFigures, GroupFigures, WaitingDocument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document

CODES_SHOWN: Final = 8
DOCUMENTS_SHOWN: Final = 8
TEXTS_SHOWN: Final = 4
#: Ages in whole days: the first day that no longer counts, and the title.
_AGES: Final = (
    (1, "today"),
    (3, "1 to 2 days"),
    (7, "3 to 6 days"),
    (14, "7 to 13 days"),
    (30, "14 to 29 days"),
)
_OLDEST: Final = "30 days and more"


@dataclass
class _Code:
    oldest: datetime
    count: int = 0


@dataclass
class _Group:
    count: int = 0
    ids: list[int] = field(default_factory=list)
    codes: dict[str, _Code] = field(default_factory=dict)


def groups(tx: Tx) -> tuple[GroupFigures, ...]:
    """All four groups in order, each with its commonest reasons and its oldest documents."""
    found = {group: _Group() for group in GROUPS}
    for each in ledger_figures.waiting(tx):
        # A reason is one of the document's once, however many of its lines have it.
        codes = dict.fromkeys(str(reason.get("code", "")) for reason in each.reasons)
        home = found[group_of_document(codes)]
        home.count += 1
        if len(home.ids) < DOCUMENTS_SHOWN:
            home.ids.append(each.id)
        for code in codes:
            counted = found[group_of(code)].codes.setdefault(code, _Code(each.received_at))
            counted.count += 1
            counted.oldest = min(counted.oldest, each.received_at)
    shown = [document_id for group in found.values() for document_id in group.ids]
    rows = {each.id: each for each in documents.having(tx, shown)}
    return tuple(
        GroupFigures(
            group=name,
            title=GROUPS[name],
            count=group.count,
            codes=_commonest(group.codes),
            codes_more=max(0, len(group.codes) - CODES_SHOWN),
            documents=tuple(_shown(rows[each]) for each in group.ids),
        )
        for name, group in found.items()
    )


def _commonest(codes: Mapping[str, _Code]) -> tuple[CodeFigures, ...]:
    ordered = sorted(codes.items(), key=lambda item: (-item[1].count, item[0]))
    return tuple(
        CodeFigures(
            code=words.name(code),
            help=REASONS[code].help if code in REASONS else "",
            count=each.count,
            oldest=each.oldest,
        )
        for code, each in ordered[:CODES_SHOWN]
    )


def _shown(document: Document) -> WaitingDocument:
    file = PurePosixPath(document.source_file).name
    return WaitingDocument(
        id=document.id,
        kind=document.kind,
        status=document.status.value,
        number=words.name(document.number),
        vendor=words.name(document.vendor),
        company=words.name(document.company),
        currency=document.currency,
        amount=document.amount,
        received_at=document.received_at,
        origin=f"{words.name(file)}, line {document.source_line}" if file else "",
        texts=_texts(document),
        texts_more=max(0, len({each.get("code") for each in document.reasons}) - TEXTS_SHOWN),
    )


def _texts(document: Document) -> tuple[tuple[str, str], ...]:
    """Each code with its words. Words that may quote a bank account are not repeated here.

    What a tap says of a row that it could not read may quote any cell of it, and what is wrong with a bank
    account quotes that.
    """
    found: dict[str, str] = {}
    for reason in document.reasons:
        silent = document.status is Status.REJECTED or reason.get("field") == "bank_account"
        found.setdefault(words.name(reason.get("code")), "" if silent else words.text(reason.get("text")))
    return tuple(found.items())[:TEXTS_SHOWN]


def ages(per_day: Mapping[str, int], today: date) -> tuple[Age, ...]:
    """How long documents wait, in steps.

    Args:
        per_day: Documents by the day on which they came.
        today: The present day (UTC).
    """
    found: dict[str, int] = defaultdict(int)
    for day, count in per_day.items():
        days = (today - date.fromisoformat(day)).days
        found[next((title for end, title in _AGES if days < end), _OLDEST)] += count
    titles = [*(title for _, title in _AGES), _OLDEST]
    return tuple(Age(title=title, count=found[title]) for title in titles)
