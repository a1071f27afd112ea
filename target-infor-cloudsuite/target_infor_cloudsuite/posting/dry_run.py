"""A dry run: what would be sent, shown whole; nothing in M3 or in the ledger's documents changes."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.identity import IdentityError

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.posting.intake import DOCUMENT_STREAMS, draft
from target_infor_cloudsuite.posting.resolve import plans_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.plan import Plan

_log = logging.getLogger(__name__)

_WAITING = (Status.RECEIVED, Status.REVIEW, Status.READY)
_UNKNOWN_INBN = "(the INBN that AddHead answers)"


@dataclass(slots=True)
class DryRun:
    """Collects the records of a run and shows what would become of them and of what already waits."""

    drafts: list[Document] = field(default_factory=list)

    def take(self, stream: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Remember the documents of a batch; other streams have nothing to post."""
        for record in records if stream in DOCUMENT_STREAMS else ():
            try:
                self.drafts.append(draft(stream, record, number=-len(self.drafts) - 1))
            except IdentityError as fault:
                _log.warning("Dry run: a record of %s would be rejected: %s", stream, fault)

    def _parts(self, batch: Sequence[Document], plans: Mapping[int, Plan]) -> list[Document]:
        """The documents of other companies that invoices would be divided into, where the ledger has none."""
        known = {each.source_key for each in batch}
        records = [record for plan in plans.values() for record in plan.others]
        number = -len(self.drafts)
        drafts = [draft("invoices", record, number=number - at) for at, record in enumerate(records, 1)]
        return [each for each in drafts if each.source_key not in known]

    def show(self, context: Context, output_dir: Path) -> Path:
        """Write one JSON line a document into ``dry-run/<run>.jsonl`` and log it; the file's path."""
        with context.ledger.read() as tx:
            waiting = documents.find(tx, kinds=("invoice", "payment"), statuses=[s.value for s in _WAITING])
            known = {each.source_key for each in documents.find(tx) if each.source_key}
        batch = [*waiting, *(each for each in self.drafts if each.source_key not in known)]
        plans = plans_for(context, batch)
        parts = self._parts(batch, plans)
        plans |= plans_for(context, parts)
        batch += parts
        path = output_dir / "dry-run" / f"{context.run_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for document in batch:
                shown = _shown(context, document, plans[document.id])
                file.write(canonical_json(shown) + "\n")
                _log.info("Dry run: %s", json.dumps(shown, default=str))
        _log.info(
            "Dry run: %d documents; nothing was written to M3. What would be sent: %s", len(batch), path
        )
        return path


def _shown(context: Context, document: Document, plan: Plan) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": document.kind,
        "number": document.number,
        "source_key": document.source_key,
    }
    if plan.duplicate_of:
        return shown | {"would_be": Status.DUPLICATE.value, "why": plan.duplicate_of}
    if plan.mapped is None or plan.reasons:
        return shown | {"would_be": Status.REVIEW.value, "reasons": [each.to_json() for each in plan.reasons]}
    sent = _invoice(context, plan.mapped) if isinstance(plan.mapped, AccountingInvoice) else []
    return shown | {"would_be": Status.POSTED.value, "document": plan.mapped.to_json(), "transactions": sent}


def _invoice(context: Context, invoice: AccountingInvoice) -> list[dict[str, Any]]:
    company = context.companies[invoice.cono]
    program, catalog = company.program, company.catalog
    sent = [(program.name, program.head(invoice, cori="(a new UUID)", catalog=catalog))]
    sent += [
        (program.name, program.line(line, inbn=_UNKNOWN_INBN, divi=invoice.divi, catalog=catalog))
        for line in invoice.lines
    ]
    if program.commit_program:
        sent.append((program.commit_program, program.commit(inbn=_UNKNOWN_INBN, divi=invoice.divi)))
    return [
        {"program": name, "transaction": each.name, "cono": invoice.cono, "record": dict(each.record)}
        for name, each in sent
    ]
