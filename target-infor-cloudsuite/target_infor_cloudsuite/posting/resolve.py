"""From what came to what may be posted: every reason at once, or ready."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.mapping import check_invoice, check_payment, map_invoice, map_payment
from stampli_infor_transforms.reasons import Reason, reason

from target_infor_cloudsuite.ledger import documents, identities, payments
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.mapping_control import short
from target_infor_cloudsuite.posting import arrived, settlement
from target_infor_cloudsuite.posting.intake import document_values
from target_infor_cloudsuite.posting.judgement import batch_text, judge_invoices
from target_infor_cloudsuite.posting.neighbours import compare_with_ledger, money_of
from target_infor_cloudsuite.posting.parts import keep_parts, parts_of
from target_infor_cloudsuite.posting.plan import Plan
from target_infor_cloudsuite.posting.revisions import (
    binds,
    confirmation_of,
    dismissed_before,
    give_way,
    inherits,
    is_undecided,
    settle_revision,
)
from target_infor_cloudsuite.posting.suppliers import complete_suppliers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from stampli_infor_transforms.documents import AccountingPayment

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context


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
        whole = document if document.part_of is None else documents.get(tx, document.part_of)
        holder = None if whole is None else documents.by_source_key(tx, whole.source_key or "")
        return holder is not None and holder.id not in {document.id, document.part_of} and binds(tx, holder)


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
    plans |= judge_invoices(context, plans)
    plans |= settlement.check(context, plans)
    return plans


def plan_document(context: Context, document: Document) -> Plan:
    """Map one document, or check it again if it came mapped. Asks nobody."""
    today = context.clock.now().date()
    if document.arrived_mapped:
        plan = _checked_again(context, document, today)
    else:
        map_record = map_invoice if document.kind == "invoice" else map_payment
        record, *others = parts_of(context, document)
        mapping = map_record(
            record,
            crosswalks=context.crosswalks,
            reference=context.reference,
            policy=context.settings.policy,
            today=today,
            hints=context.hints,
        )
        plan = Plan(mapping.document, mapping.reasons, mapping.notes, record=record, others=tuple(others))
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
    mapped = arrived.document_of(document.kind, document.raw)
    mapper_reasons, notes = arrived.reasons_of(document.raw), arrived.notes_of(document.raw)
    if mapped is None:
        return Plan(None, mapper_reasons, notes)
    if isinstance(mapped, Reason):
        return Plan(None, (*mapper_reasons, mapped), notes)
    if isinstance(mapped, AccountingInvoice):
        fresh = check_invoice(mapped, reference=context.reference, today=today)
    else:
        fresh = check_payment(mapped, reference=context.reference, today=today)
    if (
        context.approved_mappings is not None
        and version_of(context, document) not in context.approved_mappings
    ):
        text = (
            f"It was mapped by version {short(version_of(context, document)) or '(none)'} of the crosswalks, "
            "which nobody approved. Approve that version (`cloudsuite-ap mapping approve`), or map it again "
            "by an approved one."
        )
        fresh = (*fresh, reason("mapping_not_approved", "", text))
    mapper_reasons = tuple(each for each in mapper_reasons if not _is_confirmed(context, document, each))
    known = {(each.code, each.field) for each in mapper_reasons}
    return Plan(mapped, (*mapper_reasons, *(r for r in fresh if (r.code, r.field) not in known)), notes)


def _is_confirmed(context: Context, document: Document, held: Reason) -> bool:
    """Whether a person has confirmed meanwhile the match by name that the mapper held a document for."""
    if held.code != "name_match_unconfirmed":
        return False
    vendor = confirmation_of(document)
    return context.hints.confirmed.get((document.raw["cono"], vendor)) == document.raw.get("supplier")


def version_of(context: Context, document: Document) -> str:
    """The version of the crosswalks that a document is mapped by: the mapper's own where it came mapped."""
    if document.arrived_mapped:
        return str(document.raw.get("crosswalk_version") or "")
    return context.crosswalks.version


def acceptance(code: str, mapped: dict[str, Any] | None) -> str:
    """The fingerprint of what a person accepts: this reason for exactly this content."""
    content = {k: v for k, v in (mapped or {}).items() if k not in {"accounting_date", "settlement"}}
    lines = [{k: v for k, v in line.items() if k != "trace"} for line in content.pop("lines", ())]
    return hashlib.sha256(canonical_json([code, content, lines]).encode()).hexdigest()


# -- writing -------------------------------------------------------------------------------------------


def _write(context: Context, tx: Tx, document: Document, plan: Plan) -> None:
    other = _holder_of_its_key(context, tx, document)
    if other is not None:
        _pass_over(context, tx, document)
        settle_revision(tx, new_id=document.id, held_by=other.id, hand=context.hand)
        return
    plan = plan.held_for(*dismissed_before(tx, document))
    if document.part_of is None and not document.arrived_mapped:
        keep_parts(context, tx, document, plan.others)
    mapped = None if plan.mapped is None else plan.mapped.to_json()
    if isinstance(plan.mapped, AccountingInvoice):
        plan = compare_with_ledger(context, tx, document, plan, plan.mapped)
    if plan.settlement is not None and mapped is not None:
        mapped["settlement"] = plan.settlement.to_json()
        plan = plan.held_for(*settlement.overdrawn(tx, document.id, plan.settlement))
    reasons = _not_accepted(document, plan, mapped)
    changes = _columns(context, document, plan, mapped, reasons)
    identities.release_m3(tx, document.id)
    if plan.duplicate_of:
        _move(context, tx, document, Status.DUPLICATE, why=plan.duplicate_of, **changes)
        return
    if plan.mapped is None or (reasons and plan.own_batch is None):
        _park(context, tx, document, plan.mapped, reasons=reasons, changes=changes)
        return
    holder = identities.take(tx, f"m3:{plan.mapped.m3_key}", document.id)
    if holder != document.id:
        _same_number(context, tx, document, holder, mapped=plan.mapped, changes=changes)
        return
    if plan.settlement is not None:
        payments.set_applications(tx, document.id, plan.settlement.applied())
    _move(context, tx, document, Status.READY, **changes)
    if plan.own_batch is not None:  # whatever might hold it comes too late
        _adopt_own_batch(context, tx, replace(document, status=Status.READY), plan.own_batch)


def _park(  # noqa: PLR0913 - a document and all that is known of it
    context: Context,
    tx: Tx,
    document: Document,
    mapped: AccountingInvoice | AccountingPayment | None,
    *,
    reasons: Sequence[Reason],
    changes: dict[str, Any],
) -> None:
    """Hold a document; where a person might release it, what else holds its number is told at once."""
    releasable = all(each.releasable for each in reasons)
    holder = identities.holder(tx, f"m3:{mapped.m3_key}") if mapped is not None and releasable else None
    if mapped is None or holder is None or holder == document.id:
        _hold(context, tx, document, reasons, changes)
    else:
        _same_number(context, tx, document, holder, mapped=mapped, changes=changes, also=reasons)


def _adopt_own_batch(context: Context, tx: Tx, document: Document, head: dict[str, str]) -> None:
    """M3 has posted a batch that carries our CORI after all: it is read back, not sent again."""
    documents.move(
        tx,
        document,
        Status.POSTING,
        hand=context.hand,
        worker=context.worker,
        why=f"M3 has it by our own {batch_text(head)}; it is read back.",
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
    context: Context,
    document: Document,
    plan: Plan,
    mapped: dict[str, Any] | None,
    reasons: Sequence[Reason],
) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "mapped": mapped,
        "reasons": [each.to_json() for each in reasons],
        "notes": list(plan.notes),
        "crosswalk_version": version_of(context, document),
        "resolved_run": context.run_id,
        "step": Step.NONE.value,
    }
    if document.kind == "invoice" and plan.record is not None:
        own = document_values("invoices", plan.record)
        changes |= {"company": own["company"], "amount": own["amount"]}
    if plan.mapped is not None and document.arrived_mapped:
        changes |= _as_it_arrived(plan.mapped)
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


def _as_it_arrived(mapped: AccountingInvoice | AccountingPayment) -> dict[str, Any]:
    """What is posted is what the ledger tells, also where a step in between changed what the mapper wrote."""
    if isinstance(mapped, AccountingInvoice):
        return {"amount": mapped.total, "currency": mapped.currency, "number": mapped.number}
    return {"amount": mapped.amount, "currency": mapped.currency}


def _holder_of_its_key(context: Context, tx: Tx, document: Document) -> Document | None:
    """The other document that speaks for its source key; what never got to M3 may leave it the key."""
    identity = f"source:{document.source_key}"
    holder = documents.get(tx, identities.take(tx, identity, document.id))
    if holder is None or holder.id == document.id:
        return None
    if not inherits(tx, document, holder):
        return holder
    for each in (holder, *documents.parts(tx, holder.id)):
        give_way(tx, each, by=document, hand=context.hand)
    identities.hand_over(tx, identity, heir=document.id)
    return None


def _same_number(  # noqa: PLR0913 - two documents and what is known of them
    context: Context,
    tx: Tx,
    document: Document,
    holder_id: int,
    *,
    mapped: AccountingInvoice | AccountingPayment,
    changes: dict[str, Any],
    also: Sequence[Reason] = (),
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
    told = reason("same_number_in_ledger", "invoice_number", text)
    _hold(context, tx, document, [*also, told], changes)


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
    shown: dict[str, Any] = {"crosswalk_version": version_of(context, document)}
    if to is Status.READY and changes.get("mapped"):
        # The chain of events names no bank, not even by M3's own identity of it.
        shown["mapped"] = {name: value for name, value in changes["mapped"].items() if name != "bank"}
    documents.move(
        tx, document, to, hand=context.hand, worker=context.worker, why=why, details=shown, **changes
    )
