"""What a report says, before it is a page: plain figures, each list of bounded length.

Amounts are signed and never added across currencies; moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_infor_cloudsuite.ledger.states import ON_THE_WAY, WAITING, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from decimal import Decimal

    from stampli_infor_transforms.reasons import Group

    from target_infor_cloudsuite.ledger.figures import Crosswalks, FileRow, Settled

#: The four ways things stand for a document, each with its title.
STANDINGS: Final = {
    "posted": "Posted",
    "moving": "On the way",
    "waiting": "Waiting for a person",
    "aside": "Set aside",
}


def standing_of(status: str) -> str:
    """How things stand for a document in this status: a key of `STANDINGS`."""
    if status == Status.POSTED:
        return "posted"
    if status in WAITING:
        return "waiting"
    return "moving" if status in ON_THE_WAY else "aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFigures:
    """One reason for which documents wait.

    Attributes:
        code: The reason's code; one of M3's or of a tap where it stands in no table of ours.
        help: What a clerk does about it; '' for a code that is not ours.
        count: How many documents have it.
        oldest: Since when the oldest of them waits.
    """

    code: str
    help: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDocument:
    """A document that waits.

    Attributes:
        origin: The file's name and the line.
        texts: Pairs of a reason's code and its words, '' where they are not shown here.
        texts_more: How many reasons are left out.
    """

    id: int
    kind: str
    status: str
    number: str
    vendor: str
    company: str
    currency: str
    amount: Decimal | None
    received_at: datetime
    origin: str
    texts: tuple[tuple[str, str], ...]
    texts_more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """One of Infor's four groups: how many documents count in it, its commonest reasons, its oldest."""

    group: Group
    title: str
    count: int
    codes: tuple[CodeFigures, ...]
    codes_more: int
    documents: tuple[WaitingDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How many documents have waited for so long."""

    title: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyMoney:
    """A Stampli company in one currency: by kind, then standing. ``places`` are M3's, as CONO/DIVI."""

    company: str
    places: tuple[str, ...]
    sums: Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyMoney:
    """All money of one currency: by kind, then standing; and by company for those with the most documents."""

    currency: str
    sums: Mapping[str, Mapping[str, Decimal]]
    companies: tuple[CompanyMoney, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What came and what was posted on one day (UTC)."""

    day: date
    came: int
    posted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """One run.

    Attributes:
        id: Its name.
        started_at: When it began.
        seconds: How long it took; None: it has not ended, or was killed.
        outcome: ``ended``, or by what it was stopped.
        posted: Documents that it posted.
        requests: Requests sent to the gateway.
        throttled: How often the gateway said that these were too many.
        quota_percent: Requests as a share of what its minutes allowed; a run counts as one minute at least.
    """

    id: str
    started_at: datetime
    seconds: float | None
    outcome: str
    posted: int
    requests: int
    throttled: int
    quota_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """How often documents were in doubt, and how that was decided."""

    adopted: int
    resent: int
    person: int
    undecided: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.adopted + self.resent + self.person + self.undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDocument:
    """An invoice that nearly repeats another, with what was noted on it."""

    id: int
    status: str
    number: str
    vendor: str
    currency: str
    amount: Decimal | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentRow:
    """A vendor or GL account that M3 does not have as Stampli has it."""

    code: str
    name: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentFigures:
    """Stampli's vendors or accounts beside those of one M3 company.

    Attributes:
        stream: ``vendors`` or ``gl_accounts``.
        cono: The M3 company; None for those that belong to none.
        counts: Of each outcome that there is.
        rows: Those that need a look.
    """

    stream: str
    cono: int | None
    counts: Mapping[str, int]
    rows: tuple[AlignmentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationFigures:
    """The last reconciliation of files, ledger and M3.

    Attributes:
        at: When it was made.
        since: Only what came from this moment on was compared; None: everything.
        differences: How many were found.
        texts: Some of them, each with what to do.
    """

    at: datetime
    since: datetime | None
    differences: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The whole report.

    Attributes:
        made_at: When it was made.
        statuses: Documents by kind, then status.
        groups: What waits, by group; all four, in order.
        ages: What waits, by how long.
        currencies: Money.
        currencies_more: Currencies left out.
        companies_more: Companies left out.
        days: The last thirty days, oldest first.
        runs: The newest runs, oldest first.
        requests_per_minute: The quota.
        settled: Posted payments.
        doubts: Writes in doubt.
        reconciliation: The last one; None: there was none yet.
        near: Near duplicates noted, newest first, and how many there are.
        near_total: How many there are.
        alignments: Stampli's lists beside M3's.
        alignment_fault: Why there are none; '' where nothing is wrong.
        crosswalks: Versions that documents were mapped with, newest first.
        files: The files that came last, newest first, and how many there are.
        files_total: How many there are.
    """

    made_at: datetime
    statuses: Mapping[str, Mapping[str, int]]
    groups: tuple[GroupFigures, ...]
    ages: tuple[Age, ...]
    currencies: tuple[CurrencyMoney, ...]
    currencies_more: int
    companies_more: int
    days: tuple[Day, ...]
    runs: tuple[RunFigures, ...]
    requests_per_minute: int
    settled: tuple[Settled, ...]
    doubts: Doubts
    reconciliation: ReconciliationFigures | None
    near: tuple[NearDocument, ...]
    near_total: int
    alignments: tuple[AlignmentFigures, ...]
    alignment_fault: str
    crosswalks: tuple[Crosswalks, ...]
    files: tuple[FileRow, ...]
    files_total: int

    def standings(self, kind: str | None = None) -> dict[str, int]:
        """Documents by standing: of one kind, or all."""
        found = dict.fromkeys(STANDINGS, 0)
        for each, statuses in self.statuses.items():
            for status, count in statuses.items() if kind in {None, each} else ():
                found[standing_of(status)] += count
        return found

    @property
    def in_doubt(self) -> int:
        """Documents in doubt now."""
        return sum(statuses.get(Status.IN_DOUBT, 0) for statuses in self.statuses.values())
