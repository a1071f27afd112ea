"""From what came to what may be posted: every reason at once, or ready."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
from stampli_infor_transforms.mapping import check_invoice, check_payment, map_invoice, map_payment
from stampli_infor_transforms.reasons import Reason, reason

from target_infor_cloudsuite.ledger import attempts, documents, payments
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.posting import already_there, settlement
from target_infor_cloudsuite.posting.neighbours import compare_with_ledger, money_of
from target_infor_cloudsuite.posting.plan import Plan
from target_infor_cloudsuite.posting.revisions import binds_its_key, is_undecided
from target_infor_cloudsuite.posting.suppliers import complete_suppliers
from target_infor_cloudsuite.programs.invoice_batch import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.already_there import Findings
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.programs.ap_ledger import LedgerInvoice
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram


def resolve(context: Context, batch: Sequence[Document]) -> None:
    """Map and check claimed documents and write what became of each: ready, review or duplicate."""
    waiting = {document.id for document in batch if _waits_for_a_person(context, document)}
    plans = plans_for(context, [document for document in batch if document.id not in waiting])
    with context.ledger.write() as tx:
        for document in batch:
            try:
                with tx.begin_nested():
                    if document.id in waiting:
                        _pass_over(context, tx, document)
                    else:
                        _write(context, tx, document, plans[document.id])
            except ClaimLost:
                continue  # a newer revision or another worker has it; what they decided stands


def _waits_for_a_person(context: Context, document: Document) -> bool:
    """Whether nothing that can be looked up changes it: what may be in M3 already is never sent by itself."""
    if is_undecided(document):
        return True
    if all(each["code"] != "amended_after_posting" for each in document.reasons):
        return False
    with context.ledger.read() as tx:
        holder = documents.by_source_key(tx, document.source_key or "")
    return holder is not None and holder.id != document.id and binds_its_key(holder)


def _pass_over(context: Context, tx: Tx, document: Document) -> None:
    documents.note_progress(
        tx, document, hand=context.hand, worker=context.worker, resolved_run=context.run_id
    )


def plans_for(context: Context, batch: Sequence[Document]) -> dict[int, Plan]:
    """Map and check documents, M3 asked where it must be; by document id. Changes no document."""
    plans = {document.id: plan_document(context, document) for document in batch}
    wanted = {
        (plan.mapped.cono, suno)
        for plan in plans.values()
        if plan.mapped is not None
        for suno in (plan.mapped.supplier, plan.mapped.payee)
    }
    if complete_suppliers(context, wanted):
        plans = {document.id: plan_document(context, document) for document in batch}
    plans |= _ask_about_invoices(context, plans)
    plans |= settlement.check(context, plans)
    return plans


def plan_document(context: Context, document: Document) -> Plan:
    """Map one document, or check it again if it came mapped. Asks nobody."""
    today = context.clock.now().date()
    if document.arrived_mapped:
        plan = _checked_again(context, document, today)
    else:
        map_record = map_invoice if document.kind == "invoice" else map_payment
        mapping = map_record(
            document.raw,
            crosswalks=context.crosswalks,
            reference=context.reference,
            policy=context.settings.policy,
            today=today,
        )
        plan = Plan(mapping.document, mapping.reasons, mapping.notes)
    company = None if plan.mapped is None else context.companies.get(plan.mapped.cono)
    if company is None:
        return plan
    if isinstance(plan.mapped, AccountingInvoice):
        return plan.held_for(*company.program.unsupported(plan.mapped, company.catalog))
    if company.payments_off:
        return plan.held_for(reason("payments_off", "", company.payments_off))
    return plan


def _checked_again(context: Context, document: Document, today: date) -> Plan:
    """What the mapper decided stands; only what M3's reference data says of it is asked anew."""
    raw = document.raw
    mapper_reasons = tuple(Reason.from_json(each) for each in raw.get("reasons") or ())
    notes = tuple(raw.get("notes") or ())
    if raw.get("cono") is None:
        return Plan(None, mapper_reasons, notes)
    if document.kind == "invoice":
        invoice = AccountingInvoice.from_json(raw)
        fresh = check_invoice(invoice, reference=context.reference, today=today)
        mapped: AccountingInvoice | AccountingPayment = invoice
    else:
        payment = AccountingPayment.from_json(raw)
        fresh = check_payment(payment, reference=context.reference, today=today)
        mapped = payment
    known = {(each.code, each.field) for each in mapper_reasons}
    return Plan(mapped, (*mapper_reasons, *(r for r in fresh if (r.code, r.field) not in known)), notes)


def acceptance(code: str, mapped: dict[str, Any] | None) -> str:
    """The fingerprint of what a person accepts: this reason for exactly this content."""
    content = {k: v for k, v in (mapped or {}).items() if k not in {"accounting_date", "settlement"}}
    lines = [{k: v for k, v in line.items() if k != "trace"} for line in content.pop("lines", ())]
    return hashlib.sha256(canonical_json([code, content, lines]).encode()).hexdigest()


# -- asking M3 -----------------------------------------------------------------------------------------


def _ask_about_invoices(context: Context, plans: dict[int, Plan]) -> dict[int, Plan]:
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
    for head in found.batches:
        ours = _sent_by(context, head)
        if ours is not None and program.verdict(head) is not Verdict.POSTED:
            text = (
                f"M3 still holds the unfinished {_batch(head)}, left by document {ours} of this ledger. "
                "Delete it in APS450, then replay."
            )
            return plan.held_for(reason("open_batch_in_m3", "invoice_number", text))
        if ours == document_id:
            return replace(plan, own_batch=head)
    return _judge_of_others(plan, invoice, found, program)


def _judge_of_others(
    plan: Plan, invoice: AccountingInvoice, found: Findings, program: InvoiceBatchProgram
) -> Plan:
    """What M3 holds from elsewhere: the same invoice makes this one a duplicate, anything else a question."""
    for held in sorted(found.in_ledger, key=lambda each: not _is_same(each, invoice)):
        what = (
            f"voucher {held.voucher or '-'} of {held.year}: {held.amount} {held.currency}, payee {held.payee}"
        )
        if _is_same(held, invoice):
            return replace(plan, duplicate_of=f"M3's AP ledger has it: {what}.")
        return plan.held_for(_taken(invoice, what))
    for head in sorted(found.batches, key=lambda each: not program.same_invoice(each, invoice)):
        if program.same_invoice(head, invoice):
            return replace(plan, duplicate_of=f"M3 has it as {_batch(head)}.")
        return plan.held_for(_taken(invoice, _batch(head)))
    return plan


def _is_same(held: LedgerInvoice, invoice: AccountingInvoice) -> bool:
    return (held.payee, held.currency, held.amount) == (invoice.payee, invoice.currency, invoice.total)


def _sent_by(context: Context, head: dict[str, str]) -> int | None:
    """The document of this ledger that opened a batch."""
    cori = head.get("CORI", "")
    with context.ledger.read() as tx:
        return attempts.knows_cori(tx, cori) if cori else None


def _batch(head: dict[str, str]) -> str:
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


# -- writing -------------------------------------------------------------------------------------------


def _write(context: Context, tx: Tx, document: Document, plan: Plan) -> None:
    if not _holds_its_source_key(context, tx, document):
        _pass_over(context, tx, document)
        return
    mapped = None if plan.mapped is None else plan.mapped.to_json()
    if isinstance(plan.mapped, AccountingInvoice):
        plan = compare_with_ledger(context, tx, document, plan, plan.mapped)
    if plan.settlement is not None and mapped is not None:
        mapped["settlement"] = plan.settlement.to_json()
        plan = plan.held_for(*settlement.overdrawn(tx, document.id, plan.settlement))
    reasons = _not_accepted(document, plan, mapped)
    changes = _columns(context, plan, mapped, reasons)
    documents.release_m3_identity(tx, document.id)
    if plan.duplicate_of:
        _move(context, tx, document, Status.DUPLICATE, why=plan.duplicate_of, **changes)
        return
    if plan.mapped is None or (reasons and plan.own_batch is None):
        _hold(context, tx, document, reasons, changes)
        return
    holder = documents.take_identity(tx, f"m3:{plan.mapped.m3_key}", document.id)
    if holder != document.id:
        _same_number(context, tx, document, holder, mapped=plan.mapped, changes=changes)
        return
    if plan.settlement is not None:
        payments.set_applications(tx, document.id, plan.settlement.applied())
    _move(context, tx, document, Status.READY, **changes)
    if plan.own_batch is not None:  # whatever might hold it comes too late
        _adopt_own_batch(context, tx, replace(document, status=Status.READY), plan.own_batch)


def _adopt_own_batch(context: Context, tx: Tx, document: Document, head: dict[str, str]) -> None:
    """M3 has posted a batch that carries our CORI after all: it is read back, not sent again."""
    documents.move(
        tx,
        document,
        Status.POSTING,
        hand=context.hand,
        worker=context.worker,
        why=f"M3 has it by our own {_batch(head)}; it is read back.",
        step=Step.READ_BACK.value,
        reasons=[],
        inbn=head["INBN"],
        cori=head["CORI"],
    )


def _not_accepted(document: Document, plan: Plan, mapped: dict[str, Any] | None) -> list[Reason]:
    accepted = {each["fingerprint"] for each in document.accepted}
    return [
        each for each in plan.reasons if not (each.releasable and acceptance(each.code, mapped) in accepted)
    ]


def _columns(
    context: Context, plan: Plan, mapped: dict[str, Any] | None, reasons: Sequence[Reason]
) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "mapped": mapped,
        "reasons": [each.to_json() for each in reasons],
        "notes": list(plan.notes),
        "crosswalk_version": context.crosswalks.version,
        "resolved_run": context.run_id,
        "step": Step.NONE.value,
    }
    if plan.mapped is not None:
        changes |= {
            "cono": plan.mapped.cono,
            "divi": plan.mapped.divi,
            "supplier": plan.mapped.supplier,
            "payee": plan.mapped.payee,
            "m3_key": plan.mapped.m3_key,
        }
    if isinstance(plan.mapped, AccountingInvoice):
        changes |= {
            "folded_key": plan.mapped.folded_key,
            "program": context.companies[plan.mapped.cono].program.name,
        }
    return changes


def _holds_its_source_key(context: Context, tx: Tx, document: Document) -> bool:
    """Whether the document speaks for its source key; it may inherit it from one that never got to M3."""
    identity = f"source:{document.source_key}"
    holder_id = documents.take_identity(tx, identity, document.id)
    holder = documents.get(tx, holder_id)
    if holder is None or holder.id == document.id:
        return True
    if binds_its_key(holder):
        return False
    if holder.status in {Status.RECEIVED, Status.REVIEW, Status.READY, Status.FAILED}:
        why = f"Document {document.id} is a newer revision."
        documents.move(tx, holder, Status.SUPERSEDED, hand=context.hand, why=why, other_id=document.id)
    documents.hand_over_identity(tx, identity, heir=document.id)
    return True


def _same_number(  # noqa: PLR0913 - two documents and what is known of them
    context: Context,
    tx: Tx,
    document: Document,
    holder_id: int,
    *,
    mapped: AccountingInvoice | AccountingPayment,
    changes: dict[str, Any],
) -> None:
    """Another document holds the same key in M3: the same under another id, or a question for a person."""
    holder = documents.get(tx, holder_id)
    if holder is None:
        raise LookupError(f"Document {holder_id} holds an identity and is not in the ledger.")
    theirs = holder.mapped or {}
    same = holder.status is Status.POSTED and all(
        theirs.get(name) == mapped.to_json().get(name) for name in ("payee", "currency", "total", "amount")
    )
    if same:
        why = f"Document {holder.id} with the same supplier, number, currency and total is posted."
        _move(context, tx, document, Status.DUPLICATE, why=why, **changes | {"other_id": holder.id})
        return
    text = (
        f"Document {holder.id} ({holder.status}) has the same number at the same supplier, "
        f"over {money_of(holder)}. "
        "Compare the two, then dismiss one."
    )
    _hold(context, tx, document, [reason("same_number_in_ledger", "invoice_number", text)], changes)


def _hold(
    context: Context, tx: Tx, document: Document, reasons: Sequence[Reason], changes: dict[str, Any]
) -> None:
    """Put into review; a document that is held for the same reasons as before makes no new event."""
    wanted = [each.to_json() for each in reasons]
    changes |= {"reasons": wanted}
    if document.status is Status.REVIEW and document.reasons == wanted:
        documents.note_progress(tx, document, hand=context.hand, worker=context.worker, **changes)
        return
    _move(context, tx, document, Status.REVIEW, why="; ".join(each.text for each in reasons), **changes)


def _move(context: Context, tx: Tx, document: Document, to: Status, *, why: str = "", **changes: Any) -> None:
    shown: dict[str, Any] = {"crosswalk_version": context.crosswalks.version}
    if to is Status.READY and changes.get("mapped"):
        # The chain of events names no bank, not even by M3's own identity of it.
        shown["mapped"] = {name: value for name, value in changes["mapped"].items() if name != "bank"}
    documents.move(
        tx, document, to, hand=context.hand, worker=context.worker, why=why, details=shown, **changes
    )
