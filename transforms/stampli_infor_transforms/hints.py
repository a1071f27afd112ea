"""What is known of vendors besides the document: what people confirmed, and tax ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.document_parts import key_text
from stampli_infor_transforms.names import normalise_name
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.values import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Knowledge handed in beside reference data; all of it optional.

    Attributes:
        confirmed: (M3 company, `confirmation_key`) to the supplier number that a person confirmed.
        tax_ids: (Stampli company as in a key, vendor id) to tax id; see `vendor_tax_ids`.
    """

    confirmed: Mapping[tuple[int, str], str] = field(default_factory=dict)
    tax_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def tax_id(self, company: str, vendor_id: str) -> str:
        """Return a vendor's tax id, '' where none is known; a vendor of no company is every company's."""
        if not self.tax_ids or not vendor_id:
            return ""
        own = self.tax_ids.get((normalise_number(company), vendor_id))
        return own if own is not None else self.tax_ids.get(("", vendor_id), "")


NO_HINTS = Hints()


def confirmation_key(*, vendor_id: str, vendor_name: str) -> str:
    """Return what a confirmation is kept under: a vendor that gets another name has to be confirmed again."""
    return key_text(vendor_id, normalise_name(vendor_name))


def vendor_tax_ids(records: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return `Hints.tax_ids` from records of the stream `vendors`; later ones win."""
    found: dict[tuple[str, str], str] = {}
    for record in records:
        vendor_id = text_of(record.get("vendor_id"))
        if vendor_id:
            company = normalise_number(text_of(record.get("company")) or "")
            found[company, vendor_id] = text_of(record.get("tax_id")) or ""
    return found


def same_tax_number(one: str, other: str) -> bool:
    """Whether two tax numbers are alike; blanks, signs and a country code that only one has do not count."""
    first, second = (_bare(each) for each in (one, other))
    return first == second or _without_country(first) == second or first == _without_country(second)


def _bare(number: str) -> str:
    return "".join(letter for letter in number.upper() if letter.isalnum())


def _without_country(number: str) -> str:
    return number[2:] if number[:2].isalpha() else number
