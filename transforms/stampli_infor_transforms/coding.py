"""From a line's Stampli codes to accounting lines, with a trace of which rule gave what."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.document_parts import AccountingLine, plain
from stampli_infor_transforms.gl_rules import Subject, first_matches
from stampli_infor_transforms.money import split
from stampli_infor_transforms.policy import AITS, NOT_SENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from stampli_infor_transforms.companies import Place
    from stampli_infor_transforms.crosswalks import Crosswalks, Share
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.policy import Policy

_TEXT_LENGTH: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """An invoice line as read from the record, its signs put right.

    Attributes:
        number: as in the file, else its position from 1.
        amount: net.
        tax: 0 where the line names none.
        tax_code: Stampli's.
        text: its description.
        gl_account: Stampli's code.
        dimensions: Stampli dimension to code, blanks left out.
        allocation: name of an allocation, '' for none.
        po_number: purchase order, '' for none.
        po_line: its line, '' for none.
    """

    number: str
    amount: Decimal
    tax: Decimal
    tax_code: str
    text: str
    gl_account: str
    dimensions: Mapping[str, str]
    allocation: str
    po_number: str = ""
    po_line: str = ""

    @property
    def is_tax(self) -> bool:
        """Whether the line is nothing but tax: no net amount, and no account to put it on."""
        return bool(self.tax) and not self.amount and not self.gl_account and not self.allocation


@dataclass(slots=True)
class _Coding:
    """Dimensions of one line with the rule that gave each."""

    ait: dict[str, str] = field(default_factory=dict)
    rule: dict[str, str] = field(default_factory=dict)

    def put(self, ait: str, value: str, rule: str) -> None:
        self.ait[ait] = value
        self.rule[ait] = rule

    def values(self) -> tuple[str, ...]:
        return tuple(self.ait.get(name, "") for name in AITS)

    def trace(self) -> tuple[str, ...]:
        return tuple(f"{name}={self.ait[name]} {self.rule[name]}" for name in AITS if name in self.ait)


class Coder:
    """Codes the lines of one document.

    Args:
        place: company and division whose rows apply.
        currency: for splitting to the cent.
        crosswalks: the tables.
        policy: the settings.
        findings: where reasons and notes go.
        company: Stampli's company, for the rules.
        vendors: every way to name the vendor, for the rules.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        *,
        place: Place,
        currency: str,
        crosswalks: Crosswalks,
        policy: Policy,
        findings: Findings,
        company: str = "",
        vendors: tuple[str, ...] = (),
    ) -> None:
        self.place = place
        self.currency = currency
        self.crosswalks = crosswalks
        self.policy = policy
        self.findings = findings
        self.company = company
        self.vendors = vendors
        self.rules = crosswalks.gl_rules(place.cono, place.divi)

    def lines(self, source: SourceLine, *, tax_code: str, tax_rule: str) -> tuple[AccountingLine, ...]:
        """Return the accounting lines of one line: one, or one a share of its allocation."""
        coding = _Coding()
        allocation = self._account(source, coding)
        self._rules(source, coding)
        self._dimensions(source, coding)
        whole = AccountingLine(
            kind="expense",
            amount=source.amount,
            tax=source.tax,
            tax_code=tax_code,
            text=self._text(source),
            source_line=source.number,
            po_number=source.po_number,
            po_line=source.po_line,
        )
        rules = (tax_rule,) if tax_rule else ()
        shares = self._shares(source, allocation) if allocation else ()
        if not shares:
            return (replace(whole, ait=coding.values(), trace=(*coding.trace(), *rules)),)
        percents = [share.percent for share in shares]
        amounts = split(source.amount, percents, self.currency)
        taxes = split(source.tax, percents, self.currency)
        found = []
        for share, amount, tax in zip(shares, amounts, taxes, strict=True):
            # A share of a cent that rounds to nothing would be a line that M3 refuses.
            if not amount and not tax:
                continue
            part = _Coding(dict(coding.ait), dict(coding.rule))
            for ait, value in share.ait.items():
                part.put(ait, value, share.at)
            rule = f"share={plain(share.percent)} % of {plain(source.amount)} {share.at}"
            trace = (*part.trace(), *rules, rule)
            found.append(replace(whole, amount=amount, tax=tax, ait=part.values(), trace=trace))
        return tuple(found)

    def _shares(self, source: SourceLine, allocation: str) -> tuple[Share, ...]:
        cono, divi = self.place.cono, self.place.divi
        shares = self.crosswalks.allocation(cono, divi, allocation)
        if not shares:
            self.findings.add(
                "allocation_not_found",
                f"lines.{source.number}.allocation",
                f"Line {source.number}: allocation '{allocation}' has no shares for company {cono}, "
                f"division '{divi}'. Add them to allocations.csv, or correct the line in Stampli.",
            )
        return shares

    def _account(self, source: SourceLine, coding: _Coding) -> str:
        """Code the GL account; return the allocation to use, the line's own before the row's."""
        code = source.gl_account
        row = self.crosswalks.gl_account(self.place.cono, self.place.divi, code) if code else None
        if row is not None:
            for ait in AITS:
                if row.cells[ait]:
                    coding.put(ait, row.cells[ait], row.at)
            return source.allocation or row.cells["allocation"]
        string = self.policy.gl_string
        if string is not None and string.separator in code:
            self._cut(source, coding)
        elif code:
            coding.put("ait1", code, "as sent")
        return source.allocation

    def _rules(self, source: SourceLine, coding: _Coding) -> None:
        """Put what the rules say over what the account gave."""
        if self.rules:
            subject = Subject(
                gl_account=source.gl_account, vendors=self.vendors, company=self.company, text=source.text
            )
            for ait, rule in first_matches(self.rules, subject).items():
                coding.put(ait, rule.value, rule.at)

    def _cut(self, source: SourceLine, coding: _Coding) -> None:
        string = self.policy.gl_string
        if string is None:
            return
        values = [value.strip() for value in source.gl_account.split(string.separator)]
        if len(values) > len(string.segments):
            self.findings.add(
                "gl_string_mismatch",
                f"lines.{source.number}.gl_account",
                f"Line {source.number}: GL code '{source.gl_account}' has {len(values)} segments, but "
                "gl_string in "
                f"the settings names {len(string.segments)}. Correct the code in Stampli, or the setting.",
            )
        for ait, value in zip(string.segments, values, strict=False):
            if ait and value:
                coding.put(ait, value, "setting gl_string")

    def _dimensions(self, source: SourceLine, coding: _Coding) -> None:
        """Put the line's own dimension codes over what the account gave."""
        own: dict[str, str] = {}
        for name, code in source.dimensions.items():
            row = self.crosswalks.dimension(self.place.cono, self.place.divi, name, code)
            if row is not None:
                ait, value, rule = row.cells["ait"], row.cells["value"], row.at
            else:
                ait, value, rule = self.policy.dimensions.get(name, ""), code, f"setting dimensions.{name}"
            where = f"lines.{source.number}.{name}"
            if not ait:
                self.findings.add(
                    "dimension_not_mapped",
                    where,
                    f"Line {source.number}: {name} '{code}' leads to no M3 dimension. Add a row to "
                    "dimensions.csv, "
                    f"or name the dimension for {name} in the setting 'dimensions'.",
                )
            elif ait == NOT_SENT:
                continue
            elif ait in own and coding.ait[ait] != value:
                self.findings.add(
                    "dimension_conflict",
                    where,
                    f"Line {source.number}: {own[ait]} and {name} both lead to {ait}, one with "
                    f"'{coding.ait[ait]}', "
                    f"one with '{value}'. Let only one of them go there, in dimensions.csv or the settings.",
                )
            else:
                own[ait] = name
                coding.put(ait, value, rule)

    def _text(self, source: SourceLine) -> str:
        if len(source.text) <= _TEXT_LENGTH:
            return source.text
        cut = source.text[:_TEXT_LENGTH].rstrip()
        self.findings.notes.append(
            f"Line {source.number}: the text was cut to '{cut}' (M3 takes {_TEXT_LENGTH})."
        )
        return cut
