"""The judge: compares what was exported with what stands in M3 at the end, and nothing else.

It imports nothing of the target or the transforms. Of the target's ledger it reads one thing, in SQL of its
own: what it tells a person about a document that is not in M3.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from proof.exports import identity

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from proof.wanted import Books, WantedInvoice, WantedPayment

Record = dict[str, Any]
_AT_REST = frozenset({"rejected", "review", "posted", "failed", "duplicate", "superseded", "dismissed"})
_FOR_A_PERSON = frozenset({"rejected", "review", "failed"})
#: Reasons that tell a person that the document may stand in M3 all the same.
_DOUBT = "in_doubt_unresolved"
_MAY_STAND = frozenset({_DOUBT, "open_batch_in_m3"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the target says of one delivery of a document."""

    status: str
    text: str
    codes: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """What is wrong, each as a sentence; all empty is what is wanted."""

    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Everything, each with its class."""
        return [f"{name}: {each}" for name in type(self).__slots__ for each in getattr(self, name)]


def told_by_ledger(rows: Iterable[Sequence[Any]]) -> dict[str, list[Told]]:
    """Rows of `LEDGER_QUERY`, by the documents' identities."""
    found: dict[str, list[Told]] = defaultdict(list)
    for raw, status, reasons, notes, inbn in rows:
        record = raw if isinstance(raw, dict) else json.loads(raw)
        listed = reasons if isinstance(reasons, list) else json.loads(reasons or "[]")
        text = json.dumps([listed, notes, inbn])
        found[identity(record)].append(Told(status, text, tuple(each["code"] for each in listed)))
    return found


LEDGER_QUERY = "SELECT raw, status, reasons, notes, inbn FROM documents ORDER BY id"


def suppliers_of(m3: sqlite3.Connection) -> dict[tuple[int, str], dict[str, Any]]:
    """M3's suppliers, from the sandbox's own master data."""
    rows = [json.loads(data) for (data,) in m3.execute("SELECT data FROM master WHERE kind = 'suppliers'")]
    return {(row["cono"], row["suno"]): row for row in rows}


def check(
    records: Sequence[Record],
    *,
    books: Books,
    m3: Mapping[str, Any],
    told: Mapping[str, Sequence[Told]],
) -> Findings:
    """Judge the end.

    Args:
        records: Every delivery of every document, as exported.
        books: The crosswalks and M3's suppliers.
        m3: The sandbox's books: ``invoices``, ``staged``, ``statements``.
        told: What the target says of the documents.
    """
    findings = Findings()
    _Invoices(findings, books, m3, told).judge([r for r in records if "invoice_id" in r])
    _Payments(findings, books, m3, told).judge([r for r in records if "payment_id" in r])
    for name in sorted({identity(each) for each in records} - told.keys()):
        findings.lost.append(f"{name} is not in the ledger")
    for name, tellings in told.items():
        for each in tellings:
            if each.status not in _AT_REST:
                findings.stuck.append(f"{name} is still {each.status}")
            if each.status in _FOR_A_PERSON and not each.codes:
                findings.stuck.append(f"{name} is {each.status} and nothing says why")
    return findings


@dataclass(slots=True)
class _Invoices:
    findings: Findings
    books: Books
    m3: Mapping[str, Any]
    told: Mapping[str, Sequence[Told]]

    def judge(self, records: Sequence[Record]) -> None:
        wanted: dict[str, list[WantedInvoice]] = defaultdict(list)
        for record in records:
            wanted[identity(record)] += [each for each in [self.books.invoice(record)] if each is not None]
        revisions = dict(wanted)
        held: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
        foreign = []
        for each in self.m3["invoices"]:
            if each["cori"]:
                held[each["cono"], each["divi"], each["supplier"], each["number"]].append(each)
            else:
                foreign.append(each)
        claimed: Counter[tuple[Any, ...]] = Counter()
        # What is posted first: what may stand in M3 is compared with what nobody else has claimed.
        order = sorted(revisions.items(), key=lambda item: not self._is_posted(item[0]))
        for name, versions in order:
            self._judge_one(name, versions, held, foreign, claimed)
        for place, found in held.items():
            if len(found) > 1 or claimed[place] > len(found):
                self.findings.doubled.append(f"{place} stands in M3 {len(found)} times")
            if not claimed[place]:
                self.findings.wrong.append(f"nobody says to have posted {place}")
        self._judge_staged(revisions)

    def _judge_one(
        self,
        name: str,
        versions: Sequence[WantedInvoice],
        held: Mapping[tuple[Any, ...], Sequence[Record]],
        foreign: Sequence[Record],
        claimed: Counter[tuple[Any, ...]],
    ) -> None:
        tellings = self.told.get(name, ())
        statuses = [each.status for each in tellings]
        places = {each.place for each in versions}
        posted = self._is_posted(name)
        there = [each for place in places for each in held.get(place, ()) if posted or not claimed[place]]
        # In M3 without being posted: then it must have been shown to a person as possible.
        possible = any(t.status in _FOR_A_PERSON and _MAY_STAND & set(t.codes) for t in tellings)
        if posted or possible:
            for each in there:
                claimed[each["cono"], each["divi"], each["supplier"], each["number"]] += 1
                differences = [_differences(version, each) for version in versions]
                if all(differences):
                    self.findings.wrong.append(f"{name} in M3: {min(differences, key=len)}")
        if posted:
            if statuses.count("posted") > 1:
                self.findings.doubled.append(f"{name} is posted {statuses.count('posted')} times")
            if not there:
                self.findings.lost.append(f"{name} is said to be posted and is not in M3")
        elif statuses and not (_FOR_A_PERSON | {"dismissed"}) & set(statuses):
            numbers = {place[3] for place in places}
            same = [each for place in places for each in held.get(place, ())]
            same += [each for each in foreign if each["number"] in numbers]
            if "duplicate" not in statuses or not any(
                _same_money(v, each) for v in versions for each in same
            ):
                self.findings.lost.append(f"{name} is {', '.join(statuses)}, and M3 does not hold it")

    def _is_posted(self, name: str) -> bool:
        return any(each.status == "posted" for each in self.told.get(name, ()))

    def _judge_staged(self, revisions: Mapping[str, Sequence[WantedInvoice]]) -> None:
        for batch in self.m3["staged"]:
            place = (batch["cono"], batch["divi"], batch["supplier"], batch["number"])
            owners = [name for name, found in revisions.items() if any(each.place == place for each in found)]
            tellings = [each for name in owners for each in self.told.get(name, ())]
            # A person has to know of it: by its number, or that it may stand there.
            known = any(
                str(batch["inbn"]) in each.text or (each.status == "review" and _DOUBT in each.codes)
                for each in tellings
            )
            what = f"batch {batch['inbn']} of {', '.join(owners)} with {len(batch['lines'])} lines"
            if not batch["cori"]:
                if batch["lines"]:
                    self.findings.wrong.append(f"{what} is somebody else's")
            elif not owners:
                self.findings.wrong.append(f"batch {batch['inbn']} is of nobody: {place}")
            elif not known:
                self.findings.half.append(f"{what} is left and not named")


def _same_money(wanted: WantedInvoice, held: Record) -> bool:
    money = tuple(wanted.head[key] for key in ("payee", "currency", "amount"))
    return (held["payee"], held["currency"], Decimal(held["amount"])) == money


def _differences(wanted: WantedInvoice, held: Record) -> list[str]:
    found = [
        f"{name} is {held[name]}, not {value}"
        for name, value in wanted.head.items()
        if (Decimal(held[name]) if isinstance(value, Decimal) else held[name]) != value
    ]
    if held["number"] != wanted.place[3]:
        found.append(f"number is {held['number']}")
    lines = Counter(
        (
            str(each["rdtp"]),
            Decimal(each["amount"]),
            Decimal(each["tax"]),
            each["tax_code"],
            tuple(each["ait"]),
            each["text"],
        )
        for each in held["lines"]
    )
    extra, lacking = lines - Counter(wanted.lines), Counter(wanted.lines) - lines
    if extra or lacking:
        found.append(f"lines: {list(extra.elements())} instead of {list(lacking.elements())}")
    return found


@dataclass(slots=True)
class _Payments:
    findings: Findings
    books: Books
    m3: Mapping[str, Any]
    told: Mapping[str, Sequence[Told]]

    def judge(self, records: Sequence[Record]) -> None:
        found, paid = self._booked()
        wanted: dict[str, list[WantedPayment]] = defaultdict(list)
        for record in records:
            wanted[identity(record)] += [each for each in [self.books.payment(record)] if each is not None]
        known = {each.line["reference"] for versions in wanted.values() for each in versions}
        for reference in found.keys() - known:
            self.findings.wrong.append(f"a payment of nobody: {reference}")
        for name, versions in wanted.items():
            references = {each.line["reference"] for each in versions}
            self._judge_one(name, versions, [made for each in references for made in found[each]])
        for invoice in self.m3["invoices"]:
            key = (invoice["cono"], invoice["payee"], invoice["number"])
            if invoice["cori"] and Decimal(invoice["paid"]) != paid[key]:
                self.findings.wrong.append(f"{key} is paid {invoice['paid']}, its payments make {paid[key]}")

    def _booked(
        self,
    ) -> tuple[dict[str, list[tuple[tuple[Any, ...], Record]]], dict[tuple[Any, ...], Decimal]]:
        """Lines of validated statements by their reference, and what is paid of each invoice."""
        found: dict[str, list[tuple[tuple[Any, ...], Record]]] = defaultdict(list)
        paid: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for statement in self.m3["statements"]:
            if not statement["validated"]:
                continue  # books nothing
            place = tuple(statement[name] for name in ("cono", "divi", "bsid", "currency"))
            for line in statement["lines"]:
                found[line["reference"]].append((place, line))
                for detail in line["details"]:
                    paid[place[0], line["payee"], detail["number"]] -= Decimal(detail["amount"])
        return found, paid

    def _judge_one(
        self, name: str, versions: Sequence[WantedPayment], made: Sequence[tuple[tuple[Any, ...], Record]]
    ) -> None:
        tellings = self.told.get(name, ())
        statuses = {each.status for each in tellings}
        if len(made) > 1:
            self.findings.doubled.append(f"{name} is paid {len(made)} times")
        if made and not any(_is(version, *made[0]) for version in versions):
            self.findings.wrong.append(f"{name} in M3: {made[0]} instead of {versions[0]}")
        doubted = any(_DOUBT in each.codes for each in tellings)
        if "posted" in statuses and not made:
            self.findings.lost.append(f"{name} is said to be posted and is on no validated statement")
        if made and "posted" not in statuses and not doubted:
            self.findings.wrong.append(f"{name} is paid, and the ledger says {', '.join(sorted(statuses))}")
        if not made and statuses and not statuses & {*_FOR_A_PERSON, "dismissed"} and statuses <= _AT_REST:
            self.findings.lost.append(f"{name} is {', '.join(sorted(statuses))}, and nothing is paid")


def _is(wanted: WantedPayment, place: tuple[Any, ...], line: Record) -> bool:
    details = Counter((each["number"], Decimal(each["amount"])) for each in line["details"])
    return (
        place == wanted.place
        and details == Counter(wanted.details)
        and all(
            (Decimal(line[key]) if isinstance(value, Decimal) else line[key]) == value
            for key, value in wanted.line.items()
        )
    )
