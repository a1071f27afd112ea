"""What a payment settles: its invoices as M3 itself holds them, and what is open of each."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stampli_infor_transforms.document_parts import key_text
from stampli_infor_transforms.documents import AccountingPayment
from stampli_infor_transforms.identity import normalise_number
from stampli_infor_transforms.numbering import fold_number
from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import documents, payments
from target_infor_cloudsuite.posting.already_there import NOT_THERE
from target_infor_cloudsuite.posting.plan import SettledInvoice, Settlement
from target_infor_cloudsuite.programs import ap_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from stampli_infor_transforms.documents import AppliedInvoice
    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.plan import Plan
    from target_infor_cloudsuite.programs.ap_ledger import LedgerInvoice

_log = logging.getLogger(__name__)

#: An invoice is looked for in the year of its payment, the two before and the one after.
_YEARS = (0, -1, -2, 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One invoice that a payment settles, as it is to be asked for."""

    divi: str
    payee: str
    supplier: str
    number: str
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one application is asked for, and why it cannot be meant, '' where it can."""

    wanted: Wanted
    misfit: str


def check(context: Context, plans: Mapping[int, Plan]) -> dict[int, Plan]:
    """Plans of payments that nothing else holds, after M3 was asked for their invoices."""
    asked = {
        key: plan.mapped
        for key, plan in plans.items()
        if isinstance(plan.mapped, AccountingPayment) and all(each.releasable for each in plan.reasons)
    }
    if not asked:
        return {}
    questions = {
        key: [_asked(context, payment, each) for each in payment.applications]
        for key, payment in asked.items()
    }
    held = _read(
        context, {(asked[key].cono, each.wanted) for key, list_ in questions.items() for each in list_}
    )
    return {
        key: _judge(plans[key], payment, [(each, held[payment.cono, each.wanted]) for each in questions[key]])
        for key, payment in asked.items()
    }


def read_invoices(context: Context, payments_: Iterable[AccountingPayment]) -> dict[str, LedgerInvoice]:
    """The invoices of some payments as M3 holds them now, by their keys."""
    asked = {
        (payment.cono, _asked(context, payment, each).wanted)
        for payment in payments_
        for each in payment.applications
    }
    return {
        _invoice_key(cono, wanted, invoice.year): invoice
        for (cono, wanted), invoices in _read(context, asked).items()
        for invoice in invoices
    }


def _invoice_key(cono: int, wanted: Wanted, year: str) -> str:
    """The key under which what is promised of an open amount adds up."""
    number = normalise_number(wanted.number)
    return key_text(str(cono), wanted.divi, wanted.payee, wanted.supplier, number, year)


def overdrawn(tx: Tx, document_id: int, settlement: Settlement) -> list[Reason]:
    """Reasons where other payments on their way leave less of an invoice than this one wants."""
    found = []
    for each in settlement.invoices:
        promised = payments.promised(tx, each.key, but=document_id)
        if promised and not _covers(each.open - promised, each.amount):
            text = (
                f"Invoice {each.number} is open for {each.open} in M3, and other payments on their way take "
                f"{promised} of that; this one wants {each.amount}. Compare the payments in Stampli."
            )
            found.append(reason("open_amount_differs", "applications", text))
    return found


def _asked(context: Context, payment: AccountingPayment, applied: AppliedInvoice) -> _Asked:
    """Where to look: as the ledger knows the invoice, else as the payment names it."""
    document = None
    if applied.source_key:
        with context.ledger.read() as tx:
            document = documents.by_source_key(tx, applied.source_key)
    own = (document.mapped or {}) if document is not None else {}
    years = [payment.payment_date.year + offset for offset in _YEARS]
    if own.get("invoice_date"):
        years.insert(0, int(own["invoice_date"][:4]))
    wanted = Wanted(
        divi=own.get("divi", payment.divi),
        payee=own.get("payee", payment.payee),
        supplier=own.get("supplier", payment.supplier),
        number=own.get("number", applied.number),
        years=tuple(dict.fromkeys(years)),
    )
    return _Asked(wanted, "" if document is None else _misfit(payment, applied, wanted, document))


def _misfit(payment: AccountingPayment, applied: AppliedInvoice, wanted: Wanted, document: Document) -> str:
    """Why the payment and the invoice that it names by its id do not belong together, '' where they do.

    A statement names one payee for all of a payment: what stands under another one in M3, or under another
    number than the payment says, must not be settled by it.
    """
    names = (applied.number, document.number)
    if all(names) and len({fold_number(each) for each in names}) > 1:
        return (
            f"The payment names an invoice by its id, and as number {applied.number}; by its id it is number "
            f"{document.number} (document {document.id}). Correct the payment in Stampli."
        )
    if wanted.payee and (wanted.payee, wanted.supplier) != (payment.payee, payment.supplier):
        return (
            f"Invoice {wanted.number} (document {document.id}) is one of supplier {wanted.supplier}, payee "
            f"{wanted.payee}; the payment goes to supplier {payment.supplier}, payee {payment.payee}. "
            "Correct the payment or the crosswalk, or settle it in M3 by hand."
        )
    return ""


def _read(context: Context, wanted: set[tuple[int, Wanted]]) -> dict[tuple[int, Wanted], list[LedgerInvoice]]:
    found: dict[tuple[int, Wanted], list[LedgerInvoice]] = {each: [] for each in wanted}
    by_company: dict[int, list[tuple[tuple[int, Wanted], Transaction]]] = defaultdict(list)
    for cono, each in sorted(wanted, key=str):
        for year in each.years if each.number else ():
            question = ap_ledger.get_invoice(
                divi=each.divi, payee=each.payee, supplier=each.supplier, number=each.number, year=year
            )
            by_company[cono].append(((cono, each), question))
    for cono, questions in by_company.items():
        answers = context.gateway.read(ap_ledger.PROGRAM, [question for _, question in questions], cono=cono)
        for (key, _), answer in zip(questions, answers, strict=True):
            if answer.outcome is Outcome.DONE and answer.records:
                found[key].append(ap_ledger.invoice_of(answer.records[0]))
            elif answer.error is not None and answer.error.code != NOT_THERE:
                _log.warning("APS200MI/GetInvTotInfo of invoice %s: %s", key[1].number, answer.error)
    return found


def _judge(
    plan: Plan, payment: AccountingPayment, held: Sequence[tuple[_Asked, list[LedgerInvoice]]]
) -> Plan:
    reasons: list[Reason] = []
    settled: list[SettledInvoice] = []
    for applied, (asked, invoices) in zip(payment.applications, held, strict=True):
        wanted = asked.wanted
        open_ones = [each for each in invoices if each.open] or invoices
        if asked.misfit:
            reasons.append(reason("application_differs", "applications", asked.misfit))
        elif not open_ones:
            text = (
                f"M3 does not hold invoice {wanted.number or '(without number)'} of payee {wanted.payee} "
                "yet; the payment waits for it."
            )
            reasons.append(reason("invoice_not_posted", "applications", text))
        elif len(open_ones) > 1:
            years = ", ".join(each.year for each in open_ones)
            text = (
                f"M3 holds several open invoices {wanted.number} (years {years}). "
                "Settle this payment by hand."
            )
            reasons.append(reason("open_amount_differs", "applications", text))
        elif open_ones[0].currency != payment.currency or not _covers(open_ones[0].open, applied.amount):
            invoice = open_ones[0]
            text = (
                f"Invoice {wanted.number} is open for {invoice.open} {invoice.currency} in M3; the payment "
                f"takes {applied.amount} {payment.currency} of it. Settle the difference by hand."
            )
            reasons.append(reason("open_amount_differs", "applications", text))
        else:
            invoice = open_ones[0]
            settled.append(
                SettledInvoice(
                    _invoice_key(payment.cono, wanted, invoice.year),
                    wanted.divi,
                    wanted.number,
                    invoice.year,
                    applied.amount,
                    invoice.open,
                    invoice.paid,
                )
            )
    if reasons:
        return plan.held_for(*reasons)
    return replace(plan, settlement=Settlement(tuple(settled)))


def _covers(open_amount: Decimal, amount: Decimal) -> bool:
    """Whether an open amount has room for what is taken: the same sign, and not more."""
    return open_amount * amount > 0 and abs(amount) <= abs(open_amount)
