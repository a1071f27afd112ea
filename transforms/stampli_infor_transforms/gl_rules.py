"""GL rules: which dimension a line gets from its account, vendor, company or text, the first match for each.

A blank pattern fits everything; in others ``*`` stands for any characters and the case does not count. The
text
pattern may stand anywhere in the description, the others have to fit the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.policy import AITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stampli_infor_transforms.tables import Row

PATTERNS: Final = ("gl_account", "vendor", "company", "text")
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at: one line within its document.

    Attributes:
        gl_account: Stampli's code.
        vendors: every way the document names its vendor: ids and name, and the M3 supplier number.
        company: Stampli's company.
        text: the line's description.
    """

    gl_account: str
    vendors: tuple[str, ...]
    company: str
    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with stars, as what stands between them; a regular expression could take for ever."""

    parts: tuple[str, ...]

    def is_whole(self, text: str) -> bool:
        """Whether the pattern fits the whole of a text."""
        first, *rest = self.parts
        if not rest:
            return text == first
        *middle, last = rest
        if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
            return False
        return _in_order(middle, text[len(first) : len(text) - len(last)])

    def is_within(self, text: str) -> bool:
        """Whether the pattern fits somewhere in a text."""
        return _in_order(self.parts, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlRule:
    """One row of gl_rules.csv.

    Attributes:
        cono: M3 company.
        divi: '' for every division.
        priority: lower comes first; equals in the file's order.
        patterns: by column, blanks left out.
        ait: ``ait1`` to ``ait7``.
        value: M3's code.
        at: where it is written.
    """

    cono: int
    divi: str
    priority: int
    patterns: Mapping[str, Pattern]
    ait: str
    value: str
    at: str

    def fits(self, subject: Subject) -> bool:
        """Whether every pattern of the rule fits."""
        for column, pattern in self.patterns.items():
            if column == "vendor":
                if not any(pattern.is_whole(_plain(each)) for each in subject.vendors if each):
                    return False
            elif column == "text":
                if not pattern.is_within(_plain(subject.text)):
                    return False
            elif not pattern.is_whole(_plain(getattr(subject, column))):
                return False
        return True


def _in_order(parts: Sequence[str], text: str) -> bool:
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def first_matches(rules: Sequence[GlRule], subject: Subject) -> dict[str, GlRule]:
    """Return the first rule that fits for each dimension."""
    found: dict[str, GlRule] = {}
    for rule in rules:
        if rule.ait not in found and rule.fits(subject):
            found[rule.ait] = rule
    return found


def read_rules(rows: Iterable[Row], problems: list[str]) -> tuple[GlRule, ...]:
    """Return the rules in the order in which they are tried; what is wrong is added to `problems`."""
    rules = [rule for row in rows if (rule := _rule(row, problems)) is not None]
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _rule(row: Row, problems: list[str]) -> GlRule | None:
    cells, before = row.cells, len(problems)
    if cells["ait"] not in AITS:
        problems.append(f"{row.at}: column 'ait' is '{cells['ait']}'; valid are {', '.join(AITS)}.")
    priority = cells["priority"] or "0"
    if not (priority.isascii() and priority.isdigit()):
        problems.append(
            f"{row.at}: column 'priority' is '{priority}'. Enter a whole number; the lowest comes first."
        )
    if not any(cells[column].strip("*") for column in PATTERNS):
        problems.append(
            f"{row.at}: no column of {', '.join(PATTERNS)} says when the rule applies. Fill in one of them; "
            "what holds for every line is a default in gl_accounts.csv."
        )
    if len(problems) > before:
        return None
    return GlRule(
        cono=int(cells["cono"]),
        divi=cells["divi"],
        priority=int(priority),
        patterns={
            column: Pattern(tuple(_plain(cells[column]).split("*")))
            for column in PATTERNS
            if cells[column].strip("*")
        },
        ait=cells["ait"],
        value=cells["value"],
        at=row.at,
    )


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip().casefold()
