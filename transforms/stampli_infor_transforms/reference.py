"""M3's reference data of each company, indexed once for the questions that mapping asks."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.names import nearest, normalise_name, sorted_words
from stampli_infor_transforms.rows import Company, DimensionValue, Supplier, TaxCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Company", "CompanyReference", "DimensionValue", "Reference", "Supplier", "TaxCode"]


class CompanyReference:
    """The reference data of one M3 company.

    Attributes:
        company: the company itself.
        suppliers: by SUNO.
        dimensions: by (dimension, code, divi).
        tax_codes: by VTCD without leading zeros.
    """

    def __init__(
        self,
        *,
        company: Company,
        suppliers: Iterable[Supplier] = (),
        dimensions: Iterable[DimensionValue] = (),
        tax_codes: Iterable[TaxCode] = (),
    ) -> None:
        self.company = company
        self.suppliers: Mapping[str, Supplier] = {each.suno: each for each in suppliers}
        self.dimensions: Mapping[tuple[int, str, str], DimensionValue] = {
            (each.dimension, each.code, each.divi): each for each in dimensions
        }
        self.tax_codes: Mapping[str, TaxCode] = {_bare(each.code): each for each in tax_codes}
        self._suggested: dict[tuple[str, str], tuple[str, ...]] = {}

    def supplier(self, suno: str) -> Supplier | None:
        """Return the supplier of that number; M3's numbers are in upper case."""
        return self.suppliers.get(suno) or self.suppliers.get(suno.upper())

    def suppliers_with_reference(self, external_id: str) -> tuple[Supplier, ...]:
        """Return the suppliers that keep an external id as a reference."""
        return tuple(self.suppliers[suno] for suno in self._by_reference.get(external_id, ()))

    def suppliers_named(self, name: str) -> tuple[Supplier, ...]:
        """Return the suppliers whose normalised name is that of `name`."""
        wanted = normalise_name(name)
        return tuple(self.suppliers[suno] for suno in self._by_name.get(wanted, ())) if wanted else ()

    def dimension(self, dimension: int, code: str, divi: str) -> DimensionValue | None:
        """Return a dimension's value; a row of the division wins over one of the whole company."""
        return self.dimensions.get((dimension, code, divi)) or self.dimensions.get((dimension, code, ""))

    def tax_code(self, code: str) -> TaxCode | None:
        """Return a VAT code; VTCD is a number, so 01 is 1."""
        return self.tax_codes.get(_bare(code))

    def suggest_suppliers(self, *, name: str, code: str) -> tuple[str, ...]:
        """Return up to three suppliers like ``Y2001 Example Ltd (92 %)``, near the name, else the number."""
        wanted = normalise_name(name)
        kind, query = ("name", wanted) if wanted else ("suno", code.upper())
        known = self._suggested.get((kind, query))
        if known is None:
            rows = self._rows
            by_name = kind == "name"
            hits = (
                nearest(sorted_words(query), self._sorted_names) if by_name else nearest(query, self._sunos)
            )
            known = tuple(_suggestion(rows[at].suno, rows[at].name, score) for at, score in hits)
            self._suggested[kind, query] = known
        return known if query else ()

    def suggest_codes(self, dimension: int, code: str) -> tuple[str, ...]:
        """Return up to three open values of a dimension near a code."""
        key = (f"ait{dimension}", code)
        known = self._suggested.get(key)
        if known is None:
            values, codes = self._open_values.get(dimension, ([], []))
            known = tuple(
                _suggestion(codes[at], values[at].name, score) for at, score in nearest(code, codes)
            )
            self._suggested[key] = known
        return known

    def with_suppliers(self, rows: Iterable[Supplier]) -> CompanyReference:
        """Return this reference with some suppliers added or replaced."""
        changed = CompanyReference(company=self.company)
        changed.suppliers = {**self.suppliers, **{each.suno: each for each in rows}}
        changed.dimensions, changed.tax_codes = self.dimensions, self.tax_codes
        return changed

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot of this company as a JSON object."""
        return {
            "company": self.company.to_json(),
            "suppliers": [each.to_json() for each in self.suppliers.values()],
            "dimensions": [each.to_json() for each in self.dimensions.values()],
            "tax_codes": [each.to_json() for each in self.tax_codes.values()],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CompanyReference:
        """Read what `to_json` wrote."""
        return cls(
            company=Company.from_json(value["company"]),
            suppliers=[Supplier.from_json(each) for each in value["suppliers"]],
            dimensions=[DimensionValue.from_json(each) for each in value["dimensions"]],
            tax_codes=[TaxCode.from_json(each) for each in value["tax_codes"]],
        )

    @cached_property
    def _rows(self) -> list[Supplier]:
        return list(self.suppliers.values())

    @cached_property
    def _names(self) -> list[str]:
        return [normalise_name(each.name) for each in self._rows]

    @cached_property
    def _sorted_names(self) -> list[str]:
        return [sorted_words(each) for each in self._names]

    @cached_property
    def _sunos(self) -> list[str]:
        return [each.suno for each in self._rows]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for supplier, name in zip(self._rows, self._names, strict=True):
            found[name].append(supplier.suno)
        return dict(found)

    @cached_property
    def _by_reference(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for supplier in self._rows:
            for external_id in supplier.references:
                found[external_id].append(supplier.suno)
        return dict(found)

    @cached_property
    def _open_values(self) -> dict[int, tuple[list[DimensionValue], list[str]]]:
        found: dict[int, list[DimensionValue]] = defaultdict(list)
        for value in self.dimensions.values():
            if not value.blocked and not value.blocked_manual:
                found[value.dimension].append(value)
        return {dimension: (values, [each.code for each in values]) for dimension, values in found.items()}


class Reference:
    """The reference data of every company that the pipeline posts to.

    Attributes:
        companies: by company number.
    """

    def __init__(self, companies: Mapping[int, CompanyReference]) -> None:
        self.companies = dict(companies)

    def with_company(self, company: CompanyReference) -> Reference:
        """Return this reference with one company added or replaced."""
        return Reference({**self.companies, company.company.cono: company})

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot of all companies as a JSON object."""
        return {"companies": [each.to_json() for each in self.companies.values()]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reference:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the object is no snapshot.
        """
        companies = [CompanyReference.from_json(each) for each in value["companies"]]
        return cls({each.company.cono: each for each in companies})


def _suggestion(code: str, name: str, score: int) -> str:
    return f"{code} {name} ({score} %)" if name else f"{code} ({score} %)"


def _bare(code: str) -> str:
    return code.strip().lstrip("0") or code.strip()
