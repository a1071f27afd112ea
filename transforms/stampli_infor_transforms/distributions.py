"""Invoices whose lines belong to several companies: one record for each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.identity import IdentityError, content_hash, kind_of, source_key
from stampli_infor_transforms.money import split_by_weight
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.values import amount_of, canonical_amount, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Record = Mapping[str, Any]


def split_by_company(
    record: Record, *, place_of: Callable[[str], Hashable | None] = normalise_number
) -> tuple[Record, ...]:
    """Return an invoice as one record for each company that its lines name; never raises.

    Each part keeps the header and `_sdc_*`; company, total, tax, lines and, where the sign turns, the type
    are its own. `split_from` says what it was taken from, so that it has a source key of its own: the first
    part, that of the header's company where it has lines, has the whole's. The record comes back whole where
    nothing is to be split, or where the split would be a guess: a company that nobody knows, no identity, an
    amount that is missing or unreadable, a total that is not lines plus tax, signs that contradict each
    other, or tax in the header alone over lines of several tax codes or signs. `map_invoice` then says what
    is wrong.

    Args:
        record: a record of the stream `invoices`.
        place_of: what tells companies apart, None for one that is not known; two names with the same answer
            stay on one document. By default the names themselves, whatever the case.
    """
    lines = record.get("lines")
    if "split_from" in record or not isinstance(lines, (list, tuple)):
        return (record,)
    if not all(isinstance(line, Mapping) for line in lines):
        return (record,)
    header = text_of(record.get("company")) or ""
    home = place_of(header)
    groups = _grouped(lines, header, place_of)
    if None in groups or (header and home is None) or groups.keys() == {home}:
        return (record,)
    amounts = _amounts(record, lines)
    whole = _whole(record)
    if amounts is None or whole is None:
        return (record,)
    ordered = sorted(groups.items(), key=lambda group: group[0] != home)
    return tuple(
        _part(record, members, amounts, whole | {"parts": len(groups), "part": at})
        for at, (_, members) in enumerate(ordered, 1)
    )


def names_other_companies(record: Record) -> bool:
    """Whether any line of an invoice names a company that is not the header's."""
    lines = record.get("lines")
    header = normalise_number(text_of(record.get("company")) or "")
    return isinstance(lines, (list, tuple)) and any(
        normalise_number(named) != header
        for line in lines
        if isinstance(line, Mapping) and (named := text_of(line.get("company")))
    )


def _whole(record: Record) -> dict[str, Any] | None:
    """Return what a part says of the whole; None for a record that nothing is known by."""
    try:
        key = source_key("invoices", record)
    except IdentityError:
        return None
    return {
        "company": text_of(record.get("company")) or None,
        "total_amount": canonical_amount(record.get("total_amount")),
        "source_key": key,
        "content_hash": content_hash("invoices", record),
    }


def _part(
    record: Record,
    members: Sequence[int],
    amounts: tuple[list[Decimal], list[Decimal], bool],
    whole: dict[str, Any],
) -> Record:
    nets, taxes, in_header = amounts
    lines, header = record["lines"], text_of(record.get("company")) or ""
    own = text_of(lines[members[0]].get("company")) or header
    net, tax = sum((nets[at] for at in members), Decimal()), sum((taxes[at] for at in members), Decimal())
    part = {
        **record,
        "company": own or None,
        "total_amount": net + tax,
        "tax_amount": tax if in_header or record.get("tax_amount") is not None else None,
        "lines": [_of_own_company(lines[at], header, own) for at in members],
        "split_from": whole,
    }
    return _signed(record, part)


def _grouped(
    lines: Sequence[Record], header: str, place_of: Callable[[str], Hashable | None]
) -> dict[Hashable | None, list[int]]:
    groups: dict[Hashable | None, list[int]] = {}
    for at, line in enumerate(lines):
        groups.setdefault(place_of(text_of(line.get("company")) or header), []).append(at)
    return groups or {place_of(header): []}


def _amounts(record: Record, lines: Sequence[Record]) -> tuple[list[Decimal], list[Decimal], bool] | None:
    """Return each line's net and tax, and whether the header gave the tax; None where they do not balance."""
    total, header_tax = _amount(record.get("total_amount"), None), _amount(record.get("tax_amount"), None)
    nets = [_amount(line.get("amount"), None) for line in lines]
    taxes = [_amount(line.get("tax_amount"), Decimal()) for line in lines]
    if total is None or (header_tax is None and text_of(record.get("tax_amount")) != ""):
        return None
    known_nets = [net for net in nets if net is not None]
    known_taxes = [tax for tax in taxes if tax is not None]
    if len(known_nets) < len(lines) or len(known_taxes) < len(lines):
        return None
    in_header = bool(header_tax) and not any(known_taxes)
    if in_header and header_tax is not None:
        codes = {text_of(line.get("tax_code")) for line in lines}
        same_sign = all(net >= 0 for net in known_nets) or all(net <= 0 for net in known_nets)
        if len(codes) > 1 or not same_sign or not any(known_nets):
            return None
        currency = (text_of(record.get("currency")) or "").upper()
        known_taxes = split_by_weight(header_tax, [abs(net) for net in known_nets], currency)
    tax = sum(known_taxes, Decimal())
    if not total and kind_of(record) == "CREDIT_MEMO":
        return None  # without a total nothing says how its signs are meant
    if sum(known_nets, Decimal()) + tax != total or (header_tax is not None and header_tax != tax):
        return None
    return known_nets, known_taxes, in_header


def _amount(value: Any, blank: Decimal | None) -> Decimal | None:
    return blank if text_of(value) == "" else amount_of(value)


def _of_own_company(line: Record, header: str, own: str) -> Record:
    """Return a line of a part; one that named no company belongs to the header's."""
    if text_of(line.get("company")) or normalise_number(header) == normalise_number(own):
        return line
    return {**line, "company": header or None}


def _signed(record: Record, part: dict[str, Any]) -> dict[str, Any]:
    """Return a part whose sign is not the whole's as the kind that it is: a credit, or an invoice."""
    whole_total = amount_of(record.get("total_amount")) or Decimal()
    total: Decimal = part["total_amount"]
    is_credit = kind_of(record) == "CREDIT_MEMO"
    if total * whole_total >= 0:
        return part
    # A credit memo written with positive amounts: its negative part is an invoice whose amounts turn with it.
    turn = -1 if is_credit and whole_total > 0 else 1
    return {
        **part,
        "invoice_type": "INVOICE" if is_credit else "CREDIT_MEMO",
        "total_amount": turn * total,
        "tax_amount": None if part["tax_amount"] is None else turn * part["tax_amount"],
        "lines": [_turned(line, turn) for line in part["lines"]],
    }


def _turned(line: Record, turn: int) -> Record:
    amounts = {name: _amount(line.get(name), None) for name in ("amount", "tax_amount")}
    return {**line, **{name: turn * amount for name, amount in amounts.items() if amount is not None}}
