"""Source against ledger: each file's own count, made before anything was grouped, and the documents of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.money import decimals_of
from stampli_infor_transforms.values import amount_of, text_of

from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.reconciliation.findings import NO_CURRENCY, Difference, SourceTotal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from target_infor_cloudsuite.ledger.documents import Document

_KINDS = {"invoices": "invoice", "payments": "payment"}
_USUAL_DECIMALS = 2


@dataclass(slots=True)
class _Delivery:
    """The documents of one content of one file, read at one time."""

    documents: int = 0
    rejected: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


class SourceCounts:
    """Adds up the ledger's documents by file and compares them with the tap's counts.

    A file whose modification time alone has changed may be read again after years; its documents are then a
    delivery of their own, and each delivery has to come to what the file was counted to hold.

    Args:
        files: The counts as the tap sent them (records of ``source_files``).
        since: Documents received before, of a file that is not among these, are passed over.
    """

    def __init__(self, files: Iterable[Mapping[str, Any]], *, since: datetime | None) -> None:
        self._files = {
            (text_of(each.get("_sdc_source_file")) or "", text_of(each.get("_sdc_source_sha256")) or ""): each
            for each in files
            if each.get("stream") in _KINDS
        }
        self._since = since
        self._deliveries: dict[tuple[str, str], dict[str, _Delivery]] = defaultdict(dict)
        self._kind_of: dict[tuple[str, str], str] = {}

    def take(self, document: Document) -> None:
        """Add a document, in whatever status: it came out of its file all the same."""
        if document.part_of is not None:
            return  # its whole, as the file has it, is counted with the row that it came in
        key = (document.source_file, document.source_sha256)
        if self._since is not None and document.received_at < self._since and key not in self._files:
            return
        self._kind_of[key] = document.kind
        delivery = self._deliveries[key].setdefault(document.source_mtime, _Delivery())
        record = _record(document)
        if record is None:
            delivery.rejected += 1
            return
        delivery.documents += 1
        name = "total_amount" if document.kind == "invoice" else "payment_amount"
        currency = text_of(record.get("currency")) or NO_CURRENCY
        delivery.amounts[currency] += amount_of(record.get(name)) or 0

    def totals(self) -> tuple[SourceTotal, ...]:
        """Counted and held, per kind and currency."""
        found: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for key, counts in self._files.items():
            kind = _KINDS[counts["stream"]]
            for delivery in self._deliveries.get(key, {"": _Delivery()}).values():
                for currency, (counted, held) in _side_by_side(counts, delivery).items():
                    gap = counted - held if delivery.rejected else Decimal(0)
                    sums = found[kind, currency]
                    found[kind, currency] = [sums[0] + counted, sums[1] + held, sums[2] + gap]
        return tuple(
            SourceTotal(kind=kind, currency=currency, counted=counted, ledger=held, unreadable=gap)
            for (kind, currency), (counted, held, gap) in sorted(found.items())
        )

    def differences(self) -> list[Difference]:
        """Where file and ledger part."""
        found: list[Difference] = []
        for key, deliveries in sorted(self._deliveries.items()):
            if key not in self._files:
                count = sum(each.documents + each.rejected for each in deliveries.values())
                text = (
                    f"{count} documents came of {key[0] or 'no file'}, of which there is no count: the "
                    "stream source_files is deselected, or the tap was stopped before the file's end. "
                    "Select it; the next run of the tap counts the file."
                )
                found.append(
                    Difference(code="file_not_counted", text=text, kind=self._kind_of[key], file=key[0])
                )
        for key, counts in sorted(self._files.items()):
            for delivery in self._deliveries.get(key, {"": _Delivery()}).values():
                found += _compare(key[0], counts, delivery)
        return found


def _compare(path: str, counts: Mapping[str, Any], delivery: _Delivery) -> list[Difference]:
    kind = _KINDS[counts["stream"]]
    found: list[Difference] = []
    counted = int(counts.get("documents") or 0)
    if counted != delivery.documents:
        text = (
            f"The tap counted {counted} documents in {path}, the ledger has {delivery.documents} of it. "
            "Read the file again: clear its entry in the STATE, or have it exported anew."
        )
        found.append(Difference(code="documents_differ", text=text, kind=kind, file=path))
    if bool(counts.get("rejected")) != bool(delivery.rejected):
        text = (
            f"The tap rejected {counts.get('rejected') or 0} rows of {path}, and {delivery.rejected} "
            "rejected documents of it are in the ledger: is the stream rejected_rows selected?"
        )
        found.append(Difference(code="documents_differ", text=text, kind=kind, file=path))
    if delivery.rejected:
        return found  # what their rows add to the file's total can't be told from here
    for currency, (total, held) in sorted(_side_by_side(counts, delivery).items()):
        if total != held:
            text = (
                f"{path} comes to {plain_amount(total, currency)} {currency}, its documents in the ledger to "
                f"{plain_amount(held, currency)}. Compare the file with `cloudsuite-ap review list`."
            )
            found.append(
                Difference(
                    code="amount_differs_from_file", text=text, kind=kind, file=path, currency=currency
                )
            )
    return found


def _side_by_side(counts: Mapping[str, Any], delivery: _Delivery) -> dict[str, tuple[Decimal, Decimal]]:
    """Per currency what was counted and what is held, in the currency's own decimals."""
    totals = counts.get("control_totals")
    control = totals if isinstance(totals, dict) else {}
    return {
        currency: (
            _rounded(amount_of(control.get(currency)) or Decimal(0), currency),
            _rounded(delivery.amounts.get(currency, Decimal(0)), currency),
        )
        for currency in {*control, *delivery.amounts}
    }


def _rounded(amount: Decimal, currency: str) -> Decimal:
    """To the cent: a file may hold float noise, which ``round_excess_decimals`` lets pass."""
    decimals = decimals_of(currency)
    places = _USUAL_DECIMALS if decimals is None else decimals
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _record(document: Document) -> Mapping[str, Any] | None:
    """The record as the tap sent it; None where the tap had rejected its rows."""
    if document.arrived_mapped:
        source = document.raw.get("source")
        if not isinstance(source, dict):
            return {}
        whole = source.get("split_from")  # the file counted the invoice before it was divided
        return source | {"total_amount": whole.get("total_amount")} if isinstance(whole, dict) else source
    return None if {"stream", "reason", "message"} <= document.raw.keys() else document.raw
