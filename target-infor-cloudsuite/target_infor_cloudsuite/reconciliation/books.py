"""Ledger against M3: each invoice and payment that M3 should hold, or may, as its AP ledger shows it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from stampli_infor_transforms.documents import AccountingInvoice

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ion.errors import GatewayRefused
from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.ledger.states import HELD_BY_M3, Status
from target_infor_cloudsuite.posting.already_there import NOT_THERE, years_of
from target_infor_cloudsuite.posting.plan import Settlement
from target_infor_cloudsuite.programs import ap_ledger
from target_infor_cloudsuite.reconciliation.findings import NO_CURRENCY, Count, Difference, LedgerTotal

if TYPE_CHECKING:
    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.plan import SettledInvoice
    from target_infor_cloudsuite.programs.ap_ledger import LedgerInvoice

_ROAD_THAT_SETTLES = "ABS100MI"


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    """An invoice as M3's AP ledger knows it, the year apart."""

    cono: int
    divi: str
    payee: str
    supplier: str
    number: str


class _Row(NamedTuple):
    """What the counts are told apart by."""

    kind: str
    company: str
    cono: int | None
    divi: str
    currency: str
    status: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A document that M3 holds, or may hold."""

    id: int
    label: str
    row: _Row
    amount: Decimal

    @property
    def posted(self) -> bool:
        """M3 holds it for certain, as the ledger has it."""
        return self.row.status == Status.POSTED

    @property
    def currency(self) -> str:
        """ISO 4217, or XXX."""
        return self.row.currency


class Books:
    """Adds up the ledger's documents and compares with M3 those that it should hold."""

    def __init__(self) -> None:
        self._ledger: dict[_Row, Count] = defaultdict(Count)
        self._m3: dict[_Row, Count] = defaultdict(Count)
        self._asked_for: set[_Row] = set()
        self._invoices: list[tuple[_Held, _Key, tuple[int, ...]]] = []
        self._payments: list[tuple[_Held, list[tuple[_Key, int, Decimal]]]] = []

    def take(self, document: Document) -> None:
        """Add a document, in whatever status."""
        row = _Row(
            kind=document.kind,
            company=document.company,
            cono=document.cono,
            divi=document.divi,
            currency=document.currency or NO_CURRENCY,
            status=document.status.value,
        )
        self._ledger[row].add(document.amount)
        if document.status not in HELD_BY_M3 or not document.mapped or document.cono is None:
            return
        held = _Held(document.id, document.label, row, document.amount or Decimal(0))
        if document.kind == "invoice":
            self._take_invoice(held, AccountingInvoice.from_json(document.mapped))
        elif document.program in {"", _ROAD_THAT_SETTLES} and document.mapped.get("settlement"):
            self._take_payment(held, document)

    def _take_invoice(self, held: _Held, invoice: AccountingInvoice) -> None:
        key = _Key(invoice.cono, invoice.divi, invoice.payee, invoice.supplier, invoice.number)
        first = invoice.invoice_date.year
        self._asked_for.add(held.row)
        self._invoices.append((held, key, (first, *(y for y in years_of(invoice) if y != first))))

    def _take_payment(self, held: _Held, document: Document) -> None:
        mapped = document.mapped or {}
        settled = [
            (_key_of(each), int(each.year), each.amount)
            for each in Settlement.from_json(mapped["settlement"]).invoices
        ]
        self._asked_for.add(held.row)
        self._payments.append((held, settled))

    def totals(self) -> tuple[LedgerTotal, ...]:
        """The ledger's counts, and M3's where it was asked; after `compare`."""
        return tuple(
            LedgerTotal(**row._asdict(), ledger=count, m3=self._m3[row] if row in self._asked_for else None)
            for row, count in sorted(self._ledger.items(), key=lambda item: str(item[0]))
        )

    def compare(self, gateway: Gateway) -> list[Difference]:
        """Ask M3 for all of them, and list each that is not as the ledger has it.

        Raises:
            IonError: M3 cannot be reached or turns us away.
        """
        found = self._compare_invoices(gateway)
        return found + self._compare_payments(gateway)

    def _compare_invoices(self, gateway: Gateway) -> list[Difference]:
        shown = _read(gateway, {(key, years[0]) for _, key, years in self._invoices})
        elsewhere = {
            (key, year)
            for _, key, years in self._invoices
            if shown.get((key, years[0])) is None
            for year in years[1:]
        }
        shown |= _read(gateway, elsewhere)
        found: list[Difference] = []
        for held, key, years in self._invoices:
            invoice = next((each for year in years if (each := shown.get((key, year))) is not None), None)
            if invoice is not None:
                self._m3[held.row].add(invoice.amount)
            found += _judge_invoice(held, invoice)
        return found

    def _compare_payments(self, gateway: Gateway) -> list[Difference]:
        wanted = {(key, year) for _, settled in self._payments for key, year, _ in settled}
        shown = _read(gateway, wanted)
        paid_by_us: dict[tuple[_Key, int], Decimal] = defaultdict(Decimal)
        for held, settled in self._payments:
            if held.posted:
                for key, year, amount in settled:
                    paid_by_us[key, year] += amount
        found: list[Difference] = []
        for held, settled in self._payments:
            if not held.posted:
                found.append(_unfinished(held, "M3 may have booked it"))
                continue
            short = [
                f"{key.number} ({year}): M3 shows {_money(invoice.paid, held.currency) if invoice else 'no'} "
                f"paid of it, our payments come to {_money(paid_by_us[key, year], held.currency)}"
                for key, year, _ in settled
                if (invoice := shown.get((key, year))) is None
                or abs(invoice.paid) < abs(paid_by_us[key, year])
            ]
            if not short:
                self._m3[held.row].add(held.amount)
                continue
            text = (
                f"{held.label} is validated on its bank statement, and M3 does not show its invoices "
                f"as paid: {'; '.join(short)}. Look at the statement in ABS100."
            )
            found.append(_difference("not_settled", held, text))
        return found


def _key_of(settled: SettledInvoice) -> _Key:
    """The invoice that a payment settles; its key was written by `key_text`, with the number normalised."""
    cono, divi, payee, supplier, _, _ = json.loads(settled.key)
    return _Key(int(cono), divi, payee, supplier, settled.number)


def _judge_invoice(held: _Held, invoice: LedgerInvoice | None) -> list[Difference]:
    if not held.posted:
        what = "M3's AP ledger has it" if invoice is not None else "M3's AP ledger does not have it"
        return [_unfinished(held, what)]
    if invoice is None:
        text = (
            f"{held.label} over {_money(held.amount, held.currency)} is posted in the ledger and stands not "
            "in M3's AP ledger (APS200MI/GetInvTotInfo). Look whether somebody has cancelled it in M3."
        )
        return [_difference("not_in_m3", held, text)]
    if (invoice.amount, invoice.currency) != (held.amount, held.currency):
        text = (
            f"{held.label} is over {_money(held.amount, held.currency)} in the ledger and over "
            f"{_money(invoice.amount, invoice.currency)} in M3 (voucher {invoice.voucher or '-'}). "
            "Look at it in APS200."
        )
        return [_difference("differs_in_m3", held, text)]
    return []


def _unfinished(held: _Held, what: str) -> Difference:
    status = held.row.status
    return _difference(
        "in_doubt", held, f"{held.label} is {status} in the ledger: {what}. The next run asks M3."
    )


def _difference(code: str, held: _Held, text: str) -> Difference:
    return Difference(
        code=code,
        text=text,
        kind=held.row.kind,
        document_id=held.id,
        company=held.row.company,
        currency=held.currency,
    )


def _read(gateway: Gateway, wanted: set[tuple[_Key, int]]) -> dict[tuple[_Key, int], LedgerInvoice | None]:
    """GetInvTotInfo of each, in bulk; None where M3 has none."""
    found: dict[tuple[_Key, int], LedgerInvoice | None] = {}
    for cono in sorted({key.cono for key, _ in wanted}):
        own = sorted(each for each in wanted if each[0].cono == cono)
        questions = [
            ap_ledger.get_invoice(
                divi=key.divi, payee=key.payee, supplier=key.supplier, number=key.number, year=year
            )
            for key, year in own
        ]
        for each, answer in zip(own, gateway.read(ap_ledger.PROGRAM, questions, cono=cono), strict=True):
            if answer.error is not None and answer.error.code != NOT_THERE:
                # No word about the invoice, so none about the books either.
                raise GatewayRefused(
                    f"{ap_ledger.PROGRAM}/GetInvTotInfo was refused for invoice {each[0].number} of supplier "
                    f"{each[0].supplier}, company {cono}: {answer.error}",
                    what_to_do=f"Check that the service account's M3 user may run {ap_ledger.PROGRAM} there",
                )
            done = answer.outcome is Outcome.DONE and answer.records
            found[each] = ap_ledger.invoice_of(answer.records[0]) if done else None
    return found


def _money(amount: Decimal, currency: str) -> str:
    return f"{plain_amount(amount, currency)} {currency}"
