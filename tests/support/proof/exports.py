"""Documents of every kind as the tap hands them over, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Record = dict[str, Any]
_CENT = Decimal("0.01")
_DEPARTMENTS = ("Administration", "Marketing", "Engineering", "Operations", "Finance")
_ACCOUNTS = ("5000", "6000", "6200", "6600", "6700", "6800", "7000", "7200")
#: By company: its currency, tax code and rate, the bank of its payments, and vendors by their number in M3.
_COMPANIES = {
    "NW-DE": (
        "EUR",
        "DE19",
        19,
        "Deutsche Bank 4711",
        ("10001", "10002", "10005", "10012", "10022", "10036"),
    ),
    "NW-UK": ("GBP", "UK20", 20, "Barclays 2002", ("10024", "10025", "10026")),
    "NW-US": ("USD", "EXEMPT", 0, "Chase 7003", ("20001", "20002", "20003")),
}


@dataclass(slots=True)
class Export:
    """What a run of the proof works on.

    Attributes:
        first: The records of the first files, in the order of the tap.
        later: Those of files that come later: the same again, changed, late.
        elsewhere: Invoices that M3 holds already, as rows of the sandbox.
        sound: Identities that nothing but a fault may keep out of M3.
    """

    first: list[Record] = field(default_factory=list)
    later: list[Record] = field(default_factory=list)
    elsewhere: list[Record] = field(default_factory=list)
    sound: set[str] = field(default_factory=set)

    @property
    def records(self) -> list[Record]:
        """Every delivery, in order."""
        return [*self.first, *self.later]


@dataclass(slots=True)
class Maker:
    """Makes documents; the same seed makes the same ones."""

    chance: Random
    export: Export = field(default_factory=Export)
    _nth: int = 0

    # -- invoices --------------------------------------------------------------------------------------

    def invoice(
        self, lines: list[Record], *, company: str = "NW-DE", sound: bool = True, **changed: Any
    ) -> Record:
        """An approved invoice over its lines."""
        self._nth += 1
        currency, _, _, _, vendors = _COMPANIES[company]
        rows = [{"line_number": str(place), **each} for place, each in enumerate(lines, start=1)]
        tax = sum((each["tax_amount"] or Decimal(0) for each in rows), Decimal(0))
        tax = changed.pop("tax_amount", tax)
        total = sum((each["amount"] for each in rows), Decimal(0)) + tax
        vendor = self.chance.choice(vendors)
        day = self.chance.randrange(1, 15)
        record: Record = {
            "company": company,
            "invoice_id": f"SI-{self._nth}",
            "invoice_number": f"N{self._nth}/{self.chance.randrange(10**6):06d}-X",
            "invoice_type": "CREDIT_MEMO" if total < 0 else "INVOICE",
            "vendor_id": f"V-{vendor}",
            "vendor_external_id": vendor,
            "vendor_name": f"Vendor {vendor}",
            "invoice_date": f"2026-11-{day:02d}",
            "due_date": self.chance.choice([None, "2026-12-15"]),
            "posting_date": self.chance.choice([None, f"2026-11-{day + 1:02d}"]),
            "approved_at": "2026-11-17",
            "currency": currency,
            "total_amount": total,
            "tax_amount": tax,
            "po_number": None,
            "payment_terms": self.chance.choice([None, "Net 14", "Net 30", "Net 60"]),
            "memo": None,
            "status": "Approved",
            "lines": rows,
            "extra": {},
            **self._origin("invoices"),
        } | changed
        self.export.first.append(record)
        if sound:
            self.export.sound.add(identity(record))
        return record

    def line(self, net: str | Decimal = "", *, company: str = "NW-DE", **changed: Any) -> Record:
        """A line with its tax."""
        _, code, rate, _, _ = _COMPANIES[company]
        amount = Decimal(net) if net else Decimal(self.chance.randrange(100, 90_000)) * _CENT
        accounts = ("6000", "7000") if company == "NW-US" else _ACCOUNTS
        departments = ("Administration", "Engineering") if company == "NW-US" else _DEPARTMENTS
        return {
            "amount": amount,
            "tax_amount": (amount * rate / 100).quantize(_CENT),
            "tax_code": code,
            "description": self.chance.choice(
                ["Paper", "Freight to Hamburg", "Service, second half, part 2 of 12 in all", ""]
            ),
            "gl_account": self.chance.choice(accounts),
            "department": self.chance.choice(departments),
            "cost_center": None,
            "location": None,
            "project": None,
            "company": None,
            "allocation": None,
            "extra": {},
        } | changed

    def plain(self) -> Record:
        """One to four lines, in one of three companies and currencies."""
        company = self.chance.choice(list(_COMPANIES))
        lines = [self.line(company=company) for _ in range(self.chance.randrange(1, 5))]
        return self.invoice(lines, company=company)

    def equal_lines(self) -> Record:
        """Lines that LstLines cannot tell apart: the same amount and tax, most of them coded differently."""
        amount = Decimal(self.chance.randrange(10, 400))
        count = self.chance.randrange(2, 5)
        departments = [*_DEPARTMENTS[:count], self.chance.choice(_DEPARTMENTS)]
        same = {"gl_account": "6000", "description": "Licence"}
        return self.invoice([self.line(amount, department=each, **same) for each in departments])

    def credit(self) -> Record:
        """A credit: negative in the file, or a credit memo with a positive total."""
        if self.chance.random() < 0.5:
            return self.invoice([self.line("-80"), self.line("-12.50")])
        return self.invoice([self.line("80"), self.line("12.50")], invoice_type="CREDIT_MEMO")

    def long(self) -> Record:
        """More lines than a grid shows at once."""
        return self.invoice([self.line(str(n)) for n in range(1, self.chance.randrange(103, 120))])

    def discount(self) -> Record:
        """A line against the total's sign."""
        return self.invoice([self.line("900"), self.line("-90"), self.line("45.10")])

    def allocated(self) -> Record:
        """One line over three codes, to the cent."""
        cents = Decimal(self.chance.randrange(1000, 99_999)) * _CENT
        return self.invoice([self.line(cents, gl_account="SHARED-IT", department=None), self.line()])

    def fully_coded(self) -> Record:
        """An account that asks for further dimensions, and a row of gl_accounts.csv with its own."""
        coded = {"gl_account": "6300", "cost_center": "CC100", "project": "P1001"}
        return self.invoice([self.line(**coded), self.line(gl_account="RENT-BER")])

    def header_tax(self) -> Record:
        """Tax that only the header names, with the supplier's own code."""
        lines = [self.line(tax_amount=None, tax_code=None) for _ in range(2)]
        tax = (sum((each["amount"] for each in lines), Decimal(0)) * 19 / 100).quantize(_CENT)
        return self.invoice(lines, tax_amount=tax)

    def other_payee(self) -> Record:
        """A supplier by crosswalk whose payee is another."""
        return self.invoice(
            [self.line()], vendor_id="V-1009", vendor_external_id=None, vendor_name="Atlas Print"
        )

    def for_review(self) -> Record:
        """What a person has to look at first."""
        faults: list[Callable[[], Record]] = [
            lambda: self.invoice([self.line(gl_account="6999")], sound=False),
            lambda: self.invoice([self.line(gl_account="7900")], sound=False),
            lambda: self.invoice([self.line()], sound=False, status="Pending"),
            lambda: self.invoice([self.line("100"), self.line("7")], sound=False, total_amount=Decimal(1)),
            lambda: self.invoice([self.line()], sound=False, vendor_id="V-0", vendor_external_id="99999"),
        ]
        return self.chance.choice(faults)()

    def near_twin(self) -> Record:
        """Nearly the number of another one of the same supplier: held."""
        first = self.invoice([self.line()], vendor_id="V-10022", vendor_external_id="10022", sound=False)
        first["invoice_number"] = f"INV-00{self._nth}"
        twin = self.invoice([self.line()], vendor_id="V-10022", vendor_external_id="10022", sound=False)
        twin["invoice_number"] = f"INV-{self._nth - 1}"
        return first

    def same_number(self) -> Record:
        """Another invoice id with the same supplier, number and total: the same invoice twice.

        Its date may be of another year, and M3, whose own key holds the year, would take both.
        """
        first = self.invoice([self.line("250")], sound=False)
        named = ("invoice_number", "vendor_id", "vendor_external_id", "vendor_name")
        twin = {name: first[name] for name in named} | {"posting_date": "2026-11-16"}
        day = self.chance.choice(["2026-11-15", "2025-12-20"])
        self.invoice([self.line("250")], sound=False, **twin, invoice_date=day)
        return first

    def in_m3_already(self) -> Record:
        """One that M3 holds from elsewhere: over the same total a duplicate, over another a question."""
        record = self.invoice([self.line("200")], sound=False)
        total = record["total_amount"] if self.chance.random() < 0.5 else Decimal("17.00")
        day = record["invoice_date"].replace("-", "")
        vendor = record["vendor_external_id"]
        self.export.elsewhere.append(
            {"cono": 100, "divi": "AAA", "spyn": vendor, "suno": vendor, "sino": record["invoice_number"],
             "inyr": 2026, "cucd": "EUR", "cuam": str(total), "vtam": "0", "pcua": "0", "ivdt": day,
             "dudt": day, "acdt": day, "tepy": "30", "pyme": "", "vser": "EDI", "vono": 1 + self._nth,
             "yea4": 2026, "jrno": self._nth, "rgdt": day, "inbn": None, "cori": ""}
        )  # fmt: skip
        return record

    def again(self, record: Record, *, day: int, **changed: Any) -> Record:
        """The same document out of a later file."""
        later = record | {
            "_sdc_source_file": f"/outbound/{day}.csv",
            "_sdc_source_mtime": f"2026-11-{day:02d}T08:00:00+00:00",
        }
        self.export.later.append(later | changed)
        if changed:  # which revision M3 has by then depends on how far the first one came
            self.export.sound.discard(identity(record))
            for each in self.export.first:
                if any(part["invoice_id"] == record["invoice_id"] for part in each.get("applications", ())):
                    self.export.sound.discard(identity(each))
        return later

    # -- payments --------------------------------------------------------------------------------------

    def payment(self, *applied: tuple[Record, Decimal], sound: bool = True, **changed: Any) -> Record:
        """A payment of pairs of an invoice's record and what is taken of it."""
        self._nth += 1
        first = applied[0][0]
        record: Record = {
            "company": first["company"],
            "payment_id": f"SP-{self._nth}",
            "payment_date": "2026-11-19",
            "payment_method": "ACH",
            "reference": f"ACH-{self._nth}",
            **{name: first[name] for name in ("vendor_id", "vendor_external_id", "vendor_name", "currency")},
            "payment_amount": sum((amount for _, amount in applied), Decimal(0)),
            "bank_account": _COMPANIES[first["company"]][3],
            "status": "Paid",
            "applications": [
                {
                    "invoice_id": invoice["invoice_id"],
                    "invoice_number": invoice["invoice_number"],
                    "amount": amount,
                    "extra": {},
                }
                for invoice, amount in applied
            ],
            "extra": {},
            **self._origin("payments"),
        } | changed
        self.export.first.append(record)
        if sound and all(identity(invoice) in self.export.sound for invoice, _ in applied):
            self.export.sound.add(identity(record))
        return record

    def pay(self, invoice: Record) -> None:
        """Pay an invoice: whole, in part, in two parts; now and then wrongly."""
        total = invoice["total_amount"]
        part = (total / 3).quantize(_CENT)
        match self.chance.randrange(6):
            case 0 | 1:
                self.payment((invoice, total))
            case 2:
                self.payment((invoice, part))
            case 3:
                self.payment((invoice, part))
                self.payment((invoice, total - part))
            case 4:
                self.payment((invoice, total), sound=False, status="Voided")
            case _:
                self.payment((invoice, total + 1), sound=False)

    def pay_net_of_credit(self) -> None:
        """One payment that settles an invoice and takes a credit of the same supplier off."""
        vendor: Record = {"vendor_id": "V-10005", "vendor_external_id": "10005"}
        invoice = self.invoice([self.line("700"), self.line("14")], **vendor)
        second = self.invoice([self.line("33")], **vendor)
        credit = self.invoice([self.line("-60")], **vendor)
        self.payment(*((each, each["total_amount"]) for each in (invoice, second, credit)))

    def _origin(self, stream: str) -> Record:
        return {
            "_sdc_source_file": f"/outbound/{stream}.csv",
            "_sdc_source_line": self._nth + 1,
            "_sdc_source_mtime": "2026-11-18T08:00:00+00:00",
            "_sdc_source_sha256": "0" * 64,
        }


def identity(record: Record) -> str:
    """What a document is known by for ever."""
    return f"{record['company']} {record.get('payment_id') or record['invoice_id']}"


def of_every_kind(chance: Random) -> Export:
    """At least twelve documents, each kind among them, with payments of every kind."""
    maker = Maker(chance)
    plain = [maker.plain() for _ in range(2)]
    makers = (
        maker.equal_lines, maker.credit, maker.discount, maker.allocated, maker.fully_coded, maker.header_tax,
        maker.other_payee, maker.for_review, maker.near_twin, maker.same_number, maker.in_m3_already,
    )  # fmt: skip
    made = [make() for make in makers]
    maker.pay_net_of_credit()
    maker.payment((plain[0], plain[0]["total_amount"]))
    part = (plain[1]["total_amount"] / 3).quantize(_CENT)
    maker.payment((plain[1], part))
    maker.payment((plain[1], plain[1]["total_amount"] - part))
    maker.payment((made[6], made[6]["total_amount"]))
    maker.payment((made[7], Decimal(5)), sound=False)
    maker.payment((made[0], made[0]["total_amount"] + 1), sound=False)
    maker.again(plain[0], day=20)
    maker.again(made[2], day=20, total_amount=made[2]["total_amount"] + 1)
    return _in_order(maker.export)


def some(chance: Random) -> Export:
    """A few documents of random kinds, with payments of some of them."""
    maker = Maker(chance)
    kinds: list[Callable[[], Record]] = [
        maker.plain, maker.plain, maker.equal_lines, maker.equal_lines, maker.credit, maker.discount,
        maker.allocated, maker.fully_coded, maker.header_tax, maker.other_payee, maker.for_review,
        maker.near_twin, maker.same_number, maker.in_m3_already,
    ]  # fmt: skip
    if chance.random() < 0.02:
        maker.long()
    invoices = [chance.choice(kinds)() for _ in range(chance.randrange(2, 6))]
    if chance.random() < 0.2:
        maker.pay_net_of_credit()
    for each in invoices:
        if each["total_amount"] > 0 and each["invoice_type"] == "INVOICE" and chance.random() < 0.5:
            maker.pay(each)
    for each in list(maker.export.first):
        if chance.random() < 0.12:
            maker.again(each, day=20)
        if "invoice_id" in each and chance.random() < 0.06:
            maker.again(each, day=chance.choice([17, 21]), payment_terms="Net 45")
    return _in_order(maker.export)


def _in_order(export: Export) -> Export:
    """Streams one after the other, as the tap sends them."""
    for records in (export.first, export.later):
        records.sort(key=lambda each: "payment_id" in each)
    return export
