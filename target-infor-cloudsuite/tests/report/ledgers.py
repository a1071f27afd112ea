"""Ledgers of any size, written straight into the tables: what a year of runs would leave, by a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update
from stampli_infor_transforms.reasons import REASONS
from stampli_infor_transforms.reference import Company, CompanyReference, DimensionValue, Supplier
from target_infor_cloudsuite.ledger import events, reference
from target_infor_cloudsuite.ledger.tables import documents, files, runs, source_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_infor_cloudsuite.ledger import Ledger

NOW = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)
BANK_ACCOUNT = "DE89370400440532013000"
VENDORS = (
    "Baumann Elektrotechnik GmbH",
    "Nordic Office Supplies AB",
    "Café & Catering Lumière SARL",
    "O'Neill & Sons (Haulage) Ltd.",
    "Stadtwerke Musterstadt",
    "Kestrel Industrial Gases Limited",
    "日本精密部品株式会社",
    "Verlag für Technik und Recht Dr. Hohenstein-Wittgenstein KG",
)
COMPANIES = (("Acme Europe", 100, "AAA"), ("Acme Nordic", 100, "BBB"), ("Acme UK", 200, "GBR"))
CURRENCIES = {"Acme Europe": ("EUR", "USD"), "Acme Nordic": ("SEK", "EUR"), "Acme UK": ("GBP", "EUR")}
STATUSES = (
    *[("posted", 760), ("review", 110), ("duplicate", 40), ("superseded", 25), ("failed", 20)],
    *[("dismissed", 15), ("rejected", 12), ("received", 8), ("ready", 6), ("in_doubt", 4)],
)
TEXTS = {
    "supplier_not_found": "Vendor V{n} has external id Y{n}, which M3 company 100 does not have. "
    "Add a row to suppliers.csv or create the supplier in M3.",
    "near_duplicate": "Nearly the same number at the same supplier: document {n}, number RE-{n}, "
    "1204.00 EUR. Compare, then release or dismiss.",
    "bank_not_set_up": f"Account {BANK_ACCOUNT} has no row.",
}


def fill(
    ledger: Ledger, count: int, *, seed: int = 7, run_count: int = 40, all_different: bool = False
) -> None:
    """Write so many documents, the runs that brought them, and what else a report shows.

    Args:
        ledger: An empty ledger.
        count: How many documents.
        seed: Of what is left to chance.
        run_count: How many runs brought them.
        all_different: Each document has long texts, a company, a currency and reasons that no other has.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    with ledger.write() as tx:
        tx.execute(insert(runs), [_run(number, run_count, chance) for number in range(run_count)])
        page: list[dict[str, Any]] = []
        for row in _documents(count, chance, run_count):
            page.append(row | _own(len(page)) if all_different else row)
            if len(page) == 5000:
                tx.execute(insert(documents), page)
                page = []
        if page:
            tx.execute(insert(documents), page)
        tx.execute(
            insert(files),
            [
                {
                    "path": f"/outbound/invoices_2026-11-{day:02}.csv",
                    "sha256": f"{day:064x}",
                    "stream": "invoices",
                    "counts": {"rows": day * 31, "documents": day * 11, "rejected": day % 3},
                    "received_at": NOW - timedelta(days=25 - day),
                }
                for day in range(10, 26)
            ],
        )
        for number in range(min(count, 12)):
            _doubt(tx, number + 1, chance)


def _run(number: int, run_count: int, chance: random.Random) -> dict[str, Any]:
    began = NOW - timedelta(hours=6 * (run_count - number))
    seconds = chance.uniform(20, 400)
    stopped = number % 13 == 5
    return {
        "id": f"{number:032x}",
        "worker": "host/1/1/a",
        "started_at": began,
        "ended_at": None if number % 29 == 7 else began + timedelta(seconds=seconds),
        "outcome": "" if number % 29 == 7 else "stopped: GatewayUnavailable" if stopped else "ended",
        "requests": int(seconds / 60 * 100 * chance.uniform(0.2, 0.97)) + 3,
        "throttled": chance.choice((0, 0, 0, 1, 4)),
    }


def _documents(count: int, chance: random.Random, run_count: int) -> Iterator[dict[str, Any]]:
    names, weights = zip(*STATUSES, strict=True)
    codes = list(REASONS)
    for number in range(1, count + 1):
        company, cono, divi = chance.choices(COMPANIES, (6, 3, 2))[0]
        kind = "payment" if number % 6 == 0 else "invoice"
        status = chance.choices(names, weights)[0]
        age = int(chance.expovariate(1 / 9)) if status == "posted" else int(chance.expovariate(1 / 6))
        came = NOW - timedelta(days=age, minutes=chance.randrange(900))
        code = chance.choice(("supplier_not_found", "near_duplicate", *codes))
        held = status in {"review", "failed", "rejected"}
        mapped = status in {"posted", "ready", "in_doubt", "failed"}
        yield {
            "kind": kind,
            "status": status,
            "delivery": f"{number:064x}",
            "company": company,
            "number": f"RE-2026-{number:05}",
            "vendor": chance.choice(VENDORS),
            "currency": chance.choices(CURRENCIES[company], (9, 2))[0],
            "amount": Decimal(chance.randrange(-20_000, 900_000)) / 100,
            "document_date": "2026-11-02",
            "cono": cono if mapped else None,
            "divi": divi if mapped else "",
            "supplier": f"Y{number % 50}",
            "raw": {"invoice_id": f"SI-{number}", "bank_account": BANK_ACCOUNT, "memo": "x" * 200},
            "reasons": [_reason("M3" if status == "failed" else code, number)] if held else [],
            "notes": [f"Same supplier and amount within 7 days: document {number}, number RE-{number}."]
            if number % 37 == 0
            else [f"Bank account '{BANK_ACCOUNT}' has no row in banks.csv: the company's bank 01 was taken."]
            if kind == "payment"
            else [],
            "crosswalk_version": f"{number % 3:064x}" if mapped else "",
            "settled": kind == "payment" and number % 12 == 0,
            "source_file": "/outbound/invoices_2026-11-18.csv",
            "source_line": number,
            "run_id": f"{number % run_count:032x}",
            "received_at": came,
            "updated_at": min(NOW, came + timedelta(minutes=20)),
        }


def _own(number: int) -> dict[str, Any]:
    codes = [f"CODE{number}X{at}" for at in range(12)]
    return {
        "company": f"Company {number} {'x' * 3_000}",
        "vendor": f"Vendor {number} {'y' * 3_000}",
        "currency": f"C{number}",
        "status": ("review", "posted")[number % 2],
        "reasons": [_reason(code, number) | {"text": "z" * 2_000} for code in codes],
        "notes": ["Same number and amount at supplier" * 20],
        "crosswalk_version": f"{number:064x}",
    }


def poison(ledger: Ledger, evil: str) -> None:
    """Put a hostile text wherever a text of somebody else's can stand."""
    reasons = [{"code": evil, "field": evil, "text": evil, "suggestions": [evil], "releasable": False}]
    note = f"Same supplier and amount within 7 days: document {evil}"
    with ledger.write() as tx:
        tx.execute(
            update(documents).values(
                company=evil,
                vendor=evil,
                number=evil,
                currency=evil[:16],
                divi="<b>",
                source_file=evil,
                crosswalk_version=evil,
                reasons=reasons,
                notes=[note],
            )
        )
        tx.execute(update(runs).values(outcome=evil))
        tx.execute(update(files).values(path=files.c.path + evil, counts={"rows": evil}))
        record = {"company": None, "vendor_id": evil, "vendor_name": evil, "vendor_external_id": evil}
        tx.execute(update(source_reference).values(record=record))
        found = {"since": None, "differences": [{"text": evil}]}
        reference.keep(tx, "reconciliation", found, read_at=NOW)


def _reason(code: str, number: int) -> dict[str, Any]:
    if code == "M3":
        text = "M3 refused AddHead (APS100MI): Payment terms 30D does not exist."
        return {"code": "XTE0103", "field": "TEPY", "text": text, "suggestions": [], "releasable": False}
    text = TEXTS.get(code, REASONS[code].help if code in REASONS else code).format(n=number)
    field = "bank_account" if code == "bank_not_set_up" else ""
    return {"code": code, "field": field, "text": text, "suggestions": [], "releasable": False}


def _doubt(tx: Any, document_id: int, chance: random.Random) -> None:
    def record(to: str, **details: str) -> None:
        events.record(tx, f"document.{to}", at=NOW, actor="target", document_id=document_id, details=details)

    record("in_doubt", **{"from": "posting"})
    if document_id % 5:
        doubt = chance.choice(("adopted", "adopted", "resent", "person"))
        record("review" if doubt == "person" else "posting", **{"from": "in_doubt", "doubt": doubt})


def keep_reference(ledger: Ledger) -> None:
    """Stampli's lists and M3's, as the sandbox has them in small."""
    with ledger.write() as tx:
        for number, name in enumerate(VENDORS):
            record = {"company": None, "vendor_id": f"V{number}", "vendor_external_id": f"Y{number}"}
            reference.keep_source_record(tx, "vendors", f"V{number}", record | {"vendor_name": name}, at=NOW)
        for account in ("6100", "6200", "9999"):
            record = {"company": None, "gl_account": account, "gl_account_name": "Travel"}
            reference.keep_source_record(tx, "gl_accounts", account, record, at=NOW)
        suppliers = [
            Supplier(f"Y{number}", VENDORS[number], status="90" if number == 2 else "20")
            for number in (0, 1, 2, 4, 5)
        ]
        accounts = [DimensionValue(1, code, name="Travel") for code in ("6100", "6200")]
        company = CompanyReference(company=Company(100), suppliers=suppliers, dimensions=accounts)
        reference.keep(tx, "company:100", company.to_json(), read_at=NOW)
