"""M3's reference data of each company, indexed once for the questions that mapping asks."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from stampli_infor_transforms.codes import nearest_codes, without_zeros
from stampli_infor_transforms.rows import Company, DimensionValue, Supplier, TaxCode
from stampli_infor_transforms.supplier_names import SupplierNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Company", "CompanyReference", "DimensionValue", "Reference", "Supplier", "TaxCode"]


_HOW_MANY: Final = 3


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
        self._suggested: dict[tuple[int, str], tuple[str, ...]] = {}

    def supplier(self, suno: str) -> Supplier | None:
        """Return the supplier of that number; M3's numbers are in upper case."""
        return self.suppliers.get(suno) or self.suppliers.get(suno.upper())

    def suppliers_with_reference(self, external_id: str) -> tuple[Supplier, ...]:
        """Return the suppliers that keep an external id as a reference."""
        return tuple(self.suppliers[suno] for suno in self._by_reference.get(external_id, ()))

    def suppliers_named(self, name: str) -> tuple[Supplier, ...]:
        """Return the suppliers whose normalised name is that of `name`."""
        return tuple(self.suppliers[suno] for suno in self._supplier_names.named(name))

    def dimension(self, dimension: int, code: str, divi: str) -> DimensionValue | None:
        """Return a dimension's value; a row of the division wins over one of the whole company."""
        return self.dimensions.get((dimension, code, divi)) or self.dimensions.get((dimension, code, ""))

    def tax_code(self, code: str) -> TaxCode | None:
        """Return a VAT code; VTCD is a number, so 01 is 1."""
        return self.tax_codes.get(_bare(code))

    def suggest_suppliers(self, *, name: str, code: str) -> tuple[str, ...]:
        """Return up to three suppliers like ``Y2001 Example AG (92 %; legal form gmbh / ag)``, best first.

        By name; where the name is blank or nothing like any, by number.
        """
        return self._supplier_names.suggest(name) or self._suggest(0, code.upper(), self._numbers)

    def suggest_codes(self, dimension: int, code: str) -> tuple[str, ...]:
        """Return up to three open values of a dimension near a code, first what lacks only leading zeros."""
        return self._suggest(dimension, code, self._open_values.get(dimension, _NOTHING))

    def lacks_zeros(self, dimension: int, code: str) -> str:
        """Return the one open value that `code` is but for leading zeros; '' otherwise."""
        found = self._open_values.get(dimension, _NOTHING).by_rest.get(without_zeros(code), ())
        return found[0] if len(found) == 1 and found[0] != code else ""

    def supplier_lacks_zeros(self, code: str) -> str:
        """Return the one supplier number that `code` is but for leading zeros; '' otherwise."""
        found = self._numbers.by_rest.get(without_zeros(code.upper()), ())
        return found[0] if len(found) == 1 and found[0] != code.upper() else ""

    def _suggest(self, dimension: int, code: str, values: _Codes) -> tuple[str, ...]:
        known = self._suggested.get((dimension, code))
        if known is None:
            same = {values.codes.index(each): 100 for each in values.by_rest.get(without_zeros(code), ())[:3]}
            near = {at: score for at, score in nearest_codes(code, values.codes) if at not in same}
            known = tuple(
                _suggestion(values.codes[at], values.names[at], score)
                for at, score in [*same.items(), *near.items()][:_HOW_MANY]
            )
            self._suggested[dimension, code] = known
        return known if code else ()

    def with_suppliers(self, rows: Iterable[Supplier]) -> CompanyReference:
        """Return this reference with some suppliers added or replaced."""
        rows = tuple(rows)
        changed = CompanyReference(company=self.company)
        changed.suppliers = {**self.suppliers, **{each.suno: each for each in rows}}
        changed.dimensions, changed.tax_codes = self.dimensions, self.tax_codes
        # To index 50,000 names takes seconds, and most changes are of a status.
        changed._supplier_names = self._supplier_names.with_names({each.suno: each.name for each in rows})
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
    def _supplier_names(self) -> SupplierNames:
        return SupplierNames({suno: each.name for suno, each in self.suppliers.items()})

    @cached_property
    def _numbers(self) -> _Codes:
        return _Codes([(suno, each.name) for suno, each in self.suppliers.items()])

    @cached_property
    def _by_reference(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for supplier in self.suppliers.values():
            for external_id in supplier.references:
                found[external_id].append(supplier.suno)
        return dict(found)

    @cached_property
    def _open_values(self) -> dict[int, _Codes]:
        found: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for value in self.dimensions.values():
            if not value.blocked and not value.blocked_manual:
                found[value.dimension].append((value.code, value.name))
        return {dimension: _Codes(values) for dimension, values in found.items()}


class _Codes:
    """Codes with their names, to suggest from."""

    def __init__(self, values: Sequence[tuple[str, str]]) -> None:
        self.codes = [code for code, _ in values]
        self.names = [name for _, name in values]
        self.by_rest: dict[str, list[str]] = defaultdict(list)
        for code in dict.fromkeys(self.codes):
            self.by_rest[without_zeros(code)].append(code)


_NOTHING: Final = _Codes(())


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
