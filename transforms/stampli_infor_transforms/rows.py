"""The rows of M3's reference data that mapping needs. They are handed in; nothing here reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Supplier:
    """An M3 supplier (CRS620).

    Attributes:
        suno: supplier number, at most 10 characters.
        name: SUNM.
        payee: PRSU, '' for the supplier itself.
        currency: CUCD, '' for any.
        terms: TEPY.
        payment_method: PYME.
        tax_code: VTCD, '' for none.
        status: '10' preliminary, '20' approved, '90' blocked, '' not known.
        tax_number: VAT registration number.
        references: external ids that M3 keeps for the supplier.
    """

    suno: str
    name: str = ""
    payee: str = ""
    currency: str = ""
    terms: str = ""
    payment_method: str = ""
    tax_code: str = ""
    status: str = ""
    tax_number: str = ""
    references: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {
            "suno": self.suno,
            "name": self.name,
            "payee": self.payee,
            "currency": self.currency,
            "terms": self.terms,
            "payment_method": self.payment_method,
            "tax_code": self.tax_code,
            "status": self.status,
            "tax_number": self.tax_number,
            "references": list(self.references),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Supplier:
        """Read what `to_json` wrote."""
        return cls(**{**value, "references": tuple(value["references"])})


@dataclass(frozen=True, slots=True)
class DimensionValue:
    """A value of one of the seven accounting dimensions (CRS630).

    Attributes:
        dimension: 1 to 7; 1 is the account.
        code: AITM, at most 10 characters.
        divi: '' for every division.
        name: TX40.
        blocked: LCCD.
        blocked_manual: AT13, closed to manual entry.
        valid_from: first day, None for always.
        valid_to: last day, None for always.
        required: the dimensions (2 to 7) that a posting to this account has to carry.
    """

    dimension: int
    code: str
    divi: str = ""
    name: str = ""
    blocked: bool = False
    blocked_manual: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    required: frozenset[int] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {
            "dimension": self.dimension,
            "code": self.code,
            "divi": self.divi,
            "name": self.name,
            "blocked": self.blocked,
            "blocked_manual": self.blocked_manual,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
            "required": sorted(self.required),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DimensionValue:
        """Read what `to_json` wrote."""
        start, end = value["valid_from"], value["valid_to"]
        return cls(
            **{
                **value,
                "valid_from": date.fromisoformat(start) if start else None,
                "valid_to": date.fromisoformat(end) if end else None,
                "required": frozenset(value["required"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Company:
    """An M3 company.

    Attributes:
        cono: its number.
        currency: its local currency.
        divisions: its divisions; empty where it has none.
        closed_until: last day of the periods closed for accounts payable, None where not known.
        open_until: last day of the periods open, None where not known.
    """

    cono: int
    currency: str = ""
    divisions: tuple[str, ...] = ()
    closed_until: date | None = None
    open_until: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {
            "cono": self.cono,
            "currency": self.currency,
            "divisions": list(self.divisions),
            "closed_until": self.closed_until.isoformat() if self.closed_until else None,
            "open_until": self.open_until.isoformat() if self.open_until else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Company:
        """Read what `to_json` wrote."""
        periods = {name: value.get(name) for name in ("closed_until", "open_until")}
        return cls(
            cono=value["cono"],
            currency=value["currency"],
            divisions=tuple(value["divisions"]),
            **{name: date.fromisoformat(day) for name, day in periods.items() if day},
        )


@dataclass(frozen=True, slots=True)
class TaxCode:
    """An M3 VAT code (CRS030).

    Attributes:
        code: VTCD.
        name: TX40.
    """

    code: str
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {"code": self.code, "name": self.name}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TaxCode:
        """Read what `to_json` wrote."""
        return cls(**value)
