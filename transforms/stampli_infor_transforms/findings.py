"""Collecting what is wrong with a record, all of it, while its values are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason
from stampli_infor_transforms.values import amount_of, date_of, shown, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from decimal import Decimal

    from stampli_infor_transforms.reasons import Reason


class Findings:
    """The reasons and notes of one document, in the order found, each once."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str, str], Reason] = {}
        self.notes: list[str] = []

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason found."""
        return tuple(self._reasons.values())

    def add(self, code: str, field: str, text: str, *, suggestions: tuple[str, ...] = ()) -> None:
        """Add a reason of a known code."""
        self.keep(reason(code, field, text, suggestions=suggestions))

    def keep(self, found: Reason) -> None:
        """Add a reason made elsewhere."""
        self._reasons.setdefault((found.code, found.field, found.text), found)

    def keep_new(self, found: Iterable[Reason]) -> None:
        """Add those reasons whose code is not known for their field yet: a second look at the same thing."""
        known = {(each.code, each.field) for each in self._reasons.values()}
        for each in found:
            if (each.code, each.field) not in known:
                self.keep(each)

    def has(self, *codes: str) -> bool:
        """Whether a reason of one of these codes was found."""
        return any(each.code in codes for each in self._reasons.values())

    def has_at(self, *fields: str) -> bool:
        """Whether anything was found at one of these fields."""
        return any(each.field in fields for each in self._reasons.values())

    def has_amounts(self) -> bool:
        """Whether an amount is missing or can't be read, so that no sum means anything."""
        return any(
            each.code in {"amount_missing", "malformed_document"}
            and ("amount" in each.field or "." in each.field)
            for each in self._reasons.values()
        )


class Fields:
    """The values of a record or of one of its lines; what can't be read becomes a reason and counts as blank.

    Attributes:
        record: the values.
        findings: where reasons go.
        prefix: what stands before a field's name in reasons, e.g. ``lines.3.``.
    """

    def __init__(self, record: Mapping[str, Any], findings: Findings, prefix: str = "") -> None:
        self.record = record
        self.findings = findings
        self.prefix = prefix

    def text(self, name: str) -> str:
        """Return a text, '' for blank."""
        value = self.record.get(name)
        text = text_of(value)
        if text is None:
            self._malformed(name, value, "a text")
        return text or ""

    def date(self, name: str) -> date | None:
        """Return a date, None for blank."""
        value = self.record.get(name)
        if value is None or text_of(value) == "":
            return None
        found = date_of(value)
        if found is None:
            self._malformed(name, value, "a date like 2026-01-31")
        return found

    def amount(self, name: str) -> Decimal | None:
        """Return an amount, None for blank."""
        value = self.record.get(name)
        if value is None or text_of(value) == "":
            return None
        found = amount_of(value)
        if found is None:
            self._malformed(name, value, "an amount like 121.00 (at most 15 digits, never a binary float)")
        return found

    def parts(self, name: str) -> list[Mapping[str, Any]]:
        """Return the records of a list; what is no record is reported and left out."""
        value = self.record.get(name)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self._malformed(name, value, "a list")
            return []
        found: list[Mapping[str, Any]] = []
        for at, part in enumerate(value, 1):
            if isinstance(part, Mapping):
                found.append(part)
            else:
                self._malformed(f"{name}.{at}", part, "a record")
        return found

    def _malformed(self, name: str, value: Any, wanted: str) -> None:
        self.findings.add(
            "malformed_document",
            f"{self.prefix}{name}",
            f"{self.prefix}{name} is '{shown(value)}', but has to be {wanted}. "
            "Correct the value in the file, or the tap's template for this stream.",
        )


def is_record(value: object, kind: str, findings: Findings) -> bool:
    """Whether a document is a record of fields at all; where not, that is its only reason."""
    if isinstance(value, Mapping):
        return True
    findings.add(
        "malformed_document", "", f"The {kind} is no record of fields. Correct the step before this one."
    )
    return False
