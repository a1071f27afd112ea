"""Documents that arrive mapped, read strictly: a step between mapper and target may have changed anything."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from stampli_infor_transforms.documents import (
    AccountingInvoice,
    AccountingLine,
    AccountingPayment,
    AppliedInvoice,
)
from stampli_infor_transforms.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, DecimalException)
_AITS: Final = 7
_TYPES: Final = {
    each: get_type_hints(each)
    for each in (AccountingInvoice, AccountingPayment, AccountingLine, AppliedInvoice, Reason)
}
_WORDS: Final = {str: "text", int: "a whole number", Decimal: "an amount"}


def document_of(kind: str, raw: Mapping[str, Any]) -> AccountingInvoice | AccountingPayment | Reason | None:
    """The accounting document of a mapped record; None where the mapper could make none.

    Returns:
        The document; or, where it is in no shape that may be posted, the reason to hold it for.
    """
    if raw.get("cono") is None:
        return None
    try:
        document = AccountingInvoice.from_json(raw) if kind == "invoice" else AccountingPayment.from_json(raw)
    except _UNREADABLE as fault:
        return _malformed(f"{type(fault).__name__}: {fault}")
    wrong = next(_ill_typed(document), "")
    return _malformed(wrong) if wrong else document


def reasons_of(raw: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Why the mapper holds a record; where that cannot be read, or is told of nothing, that is the reason."""
    told = raw.get("reasons") or []
    try:
        found = tuple(Reason.from_json(each) for each in told)
        wrong = next((wrong for each in found for wrong in _ill_typed(each)), "")
    except _UNREADABLE as fault:
        return (_malformed(f"its reasons cannot be read ({type(fault).__name__}: {fault})"),)
    if wrong:
        return (_malformed(f"its reasons cannot be read ({wrong})"),)
    if not found and raw.get("cono") is None:
        return (_malformed("it names no M3 company (cono), and no reason why"),)
    return found


def notes_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """What the mapper noted."""
    notes = raw.get("notes")
    return tuple(each for each in notes if isinstance(each, str)) if isinstance(notes, list) else ()


def _malformed(what: str) -> Reason:
    text = (
        f"The mapped record is not as the mapper writes it: {what}. Something between mapper and target has "
        "changed it: correct that step and send the document again, or send it unmapped."
    )
    return reason("malformed_document", "", text)


def _ill_typed(value: Any, place: str = "") -> Iterator[str]:
    """What of a document is not of the type that its class says; JSON may hold anything."""
    hints = _TYPES[type(value)]
    for each in fields(value):
        held, where = getattr(value, each.name), f"{place}{each.name}"
        wanted = hints[each.name]
        if wanted in _WORDS and (type(held) is not wanted or not _is_finite(held)):
            yield f"{where} is {held!r} and not {_WORDS[wanted]}"
        elif isinstance(held, tuple):
            yield from _ill_typed_items(held, where)


def _ill_typed_items(held: tuple[Any, ...], where: str) -> Iterator[str]:
    for number, item in enumerate(held, start=1):
        if is_dataclass(item):
            yield from _ill_typed(item, f"{where}.{number}.")
        elif not isinstance(item, str):
            yield f"{where}.{number} is {item!r} and not text"
    if where.endswith(".ait") and len(held) != _AITS:
        yield f"{where} has {len(held)} values and not {_AITS}"


def _is_finite(held: Any) -> bool:
    return not isinstance(held, Decimal) or held.is_finite()
