"""The header row: which cell of a row holds which field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.fields import COLUMNS, REQUIRED, TOTAL_FIELD, header_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.fields import Column
    from tap_stampli_sftp.templates import Template


@dataclass(frozen=True, slots=True)
class Header:
    """Where the fields stand.

    Args:
        names: The headers as in the file.
        positions: Field -> index of its cell.
        unknown: (header, index) of the columns that no field took.
    """

    names: tuple[str, ...]
    positions: dict[str, int]
    unknown: tuple[tuple[str, int], ...]


def read_header(cells: Sequence[str], template: Template) -> Header:
    """Find each field's column by name; the setting ``columns`` wins over names and aliases.

    Raises:
        FileRefused: A required column is missing, one is there twice, or ``columns`` names one that is not
        there.
    """
    names = tuple(cell.strip().lstrip("\ufeff").strip() for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    positions = _by_setting(names, template)
    claimed = set(positions.values())
    known = _known(template)
    for index, name in enumerate(names):
        column = _lookup(known, name)
        if index in claimed or column is None or column.field in template.columns:
            continue
        if column.field in positions:
            first = names[positions[column.field]]
            raise FileRefused(
                f"columns {first!r} and {name!r} both mean {column.header}; say which one by "
                f"{template.setting('columns')} ({{{column.field!r}: ..}})"
            )
        positions[column.field] = index
    taken = set(positions.values())
    unknown = tuple(
        (name or f"column {index + 1}", index) for index, name in enumerate(names) if index not in taken
    )
    _refuse_doubled(unknown, template)
    _refuse_missing(names, positions, template)
    return Header(names=names, positions=positions, unknown=unknown)


def _by_setting(names: tuple[str, ...], template: Template) -> dict[str, int]:
    positions: dict[str, int] = {}
    for field, wanted in template.columns.items():
        found = [index for index, name in enumerate(names) if name == wanted.strip()] or [
            index for index, name in enumerate(names) if header_key(name) == header_key(wanted)
        ]
        if len(found) != 1:
            what = "there more than once" if found else "not there"
            raise FileRefused(
                f"column {wanted!r}, named by {template.setting('columns')}.{field}, is {what}; "
                f"the file has: {', '.join(names)}"
            )
        positions[field] = found[0]
    return positions


def _known(template: Template) -> dict[str, Column]:
    known: dict[str, Column] = {}
    for column in COLUMNS[template.stream]:
        for name in (column.header, column.field, *column.aliases):
            known.setdefault(header_key(name), column)
    return known


def _lookup(known: dict[str, Column], name: str) -> Column | None:
    # "Supplier #" is the supplier's number while "Supplier" is its name, so # is tried as a word first.
    if "#" in name and (column := known.get(header_key(name.replace("#", "number")))):
        return column
    return known.get(header_key(name))


def _refuse_doubled(unknown: tuple[tuple[str, int], ...], template: Template) -> None:
    seen: set[str] = set()
    for name, _ in unknown:
        if name in seen:
            raise FileRefused(
                f"column {name!r} is there twice; have the export mended, or name the column to use by "
                f"{template.setting('columns')}"
            )
        seen.add(name)


def _refuse_missing(names: tuple[str, ...], positions: dict[str, int], template: Template) -> None:
    headers = {column.field: column.header for column in COLUMNS[template.stream]}
    total = TOTAL_FIELD.get(template.stream)
    missing = [
        " or ".join(headers[field] for field in group)
        for group in REQUIRED[template.stream]
        if not any(field in positions or field in template.constants for field in group)
        and not (template.total_from_lines and group == (total,))
    ]
    if missing:
        hint = " Only one column was found: is the delimiter right?" if len(names) == 1 else ""
        raise FileRefused(
            f"required column missing: {'; '.join(missing)}. The file has: {', '.join(names)}. Name the "
            "right one by "
            f"{template.setting('columns')}, or give a fixed value by {template.setting('constants')}.{hint}"
        )
