"""What M3 already holds under an invoice's number, and what that makes of the invoice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts, documents
from target_infor_cloudsuite.posting import already_there
from target_infor_cloudsuite.programs.invoice_batch import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.posting.already_there import Findings
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.plan import Plan
    from target_infor_cloudsuite.programs.ap_ledger import LedgerInvoice


def judge_invoices(context: Context, plans: dict[int, Plan]) -> dict[int, Plan]:
    """Plans of invoices that nothing holds yet, after M3 was asked whether it has them."""
    candidates = {
        key: plan.mapped
        for key, plan in plans.items()
        if isinstance(plan.mapped, AccountingInvoice) and all(each.releasable for each in plan.reasons)
    }
    if not candidates:
        return {}
    findings = already_there.ask(context, candidates)
    return {
        key: _judge(context, plans[key], key, invoice, findings[key])
        for key, invoice in candidates.items()
        if not findings[key].nothing
    }


def _judge(
    context: Context, plan: Plan, document_id: int, invoice: AccountingInvoice, found: Findings
) -> Plan:
    if found.refused or found.truncated:
        why = found.refused or "more batches stand under this number than M3 lists"
        text = (
            f"M3 could not say whether it has invoice {invoice.number} already: {why}. "
            "Look in APS450 and APS200."
        )
        return plan.held_for(reason("number_taken_in_m3", "invoice_number", text))
    program = context.companies[invoice.cono].program
    related = _family(context, document_id)
    found.batches = [head for head in found.batches if _sent_by(context, head) not in related - {document_id}]
    for head in found.batches:
        ours = _sent_by(context, head)
        if ours is not None and program.verdict(head) is not Verdict.POSTED:
            text = (
                f"M3 still holds the unfinished {batch_text(head)}, left by document {ours} of this ledger. "
                "Delete it in APS450, then replay."
            )
            return plan.held_for(reason("open_batch_in_m3", "invoice_number", text))
        if ours == document_id:
            return replace(plan, own_batch=head)
    return _judge_of_others(context, plan, invoice, found)


def _judge_of_others(context: Context, plan: Plan, invoice: AccountingInvoice, found: Findings) -> Plan:
    """What M3 holds from elsewhere: the same invoice makes this one a duplicate, anything else a question."""
    program = context.companies[invoice.cono].program
    for held in sorted(found.in_ledger, key=lambda each: not _is_same(each, invoice)):
        what = (
            f"voucher {held.voucher or '-'} of {held.year}: {held.amount} {held.currency}, payee {held.payee}"
        )
        if _is_same(held, invoice):
            return replace(plan, duplicate_of=f"M3's AP ledger has it: {what}.")
        return plan.held_for(_taken(invoice, what))
    for head in sorted(found.batches, key=lambda each: not program.same_invoice(each, invoice)):
        if program.verdict(head) is Verdict.PENDING and _is_empty(context, head, invoice):
            text = (
                f"M3 holds {batch_text(head)} under number {invoice.number}, entered elsewhere and without a "
                "line. Finish or delete it in APS450; this invoice is looked at again by every run."
            )
            return plan.held_for(reason("open_batch_in_m3", "invoice_number", text))
        if program.same_invoice(head, invoice):
            return replace(plan, duplicate_of=f"M3 has it as {batch_text(head)}.")
        return plan.held_for(_taken(invoice, batch_text(head)))
    return plan


def _is_empty(context: Context, head: Mapping[str, str], invoice: AccountingInvoice) -> bool:
    """Whether a batch is a bare head: somebody began it, and it is no invoice yet."""
    program = context.companies[invoice.cono].program
    question = program.list_lines(inbn=head["INBN"], divi=invoice.divi)
    (answer,) = context.gateway.read(program.name, [question], cono=invoice.cono)
    nothing = answer.error is not None and answer.error.code == already_there.NOT_THERE
    return nothing or (answer.outcome is Outcome.DONE and not answer.records)


def _is_same(held: LedgerInvoice, invoice: AccountingInvoice) -> bool:
    return (held.payee, held.currency, held.amount) == (invoice.payee, invoice.currency, invoice.total)


def _sent_by(context: Context, head: dict[str, str]) -> int | None:
    """The document of this ledger that opened a batch."""
    cori = head.get("CORI", "")
    with context.ledger.read() as tx:
        return attempts.knows_cori(tx, cori) if cori else None


def _family(context: Context, document_id: int) -> set[int]:
    """The parts of one invoice stand in M3 under one number, each in its own division."""
    with context.ledger.read() as tx:
        return documents.family(tx, document_id)


def batch_text(head: Mapping[str, str]) -> str:
    """A batch for messages."""
    return (
        f"batch {head['INBN']} (SUPA {head.get('SUPA', '')}): {head.get('CUAM', '')} {head.get('CUCD', '')}"
    )


def _taken(invoice: AccountingInvoice, what: str) -> Reason:
    text = (
        f"M3 holds another document under number {invoice.number} of supplier {invoice.supplier}: {what}; "
        f"this one is {invoice.total} {invoice.currency}, payee {invoice.payee}. "
        "Compare, then correct or dismiss."
    )
    return reason("number_taken_in_m3", "invoice_number", text)
