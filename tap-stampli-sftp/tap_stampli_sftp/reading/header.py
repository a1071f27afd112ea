"""The header row: which cell of a row holds which field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.fields import COLUMNS, REQUIRED, TOTAL_FIELD, header_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_stampli_sftp.fields import Column, Place
    from tap_stampli_sftp.templates import Template


@dataclass(frozen=True, slots=True)
class Header:
    """Where the fields stand.

    Args:
        names: The headers as in the file.
        positions: Field -> index of its cell.
        unknown: (header, index) of the columns that no field took, in rows that hold document and line alike.
        head_unknown: The same, of columns that say something about the document only.
        line_unknown: The same, of columns that say something about a line only.
    """

    names: tuple[str, ...]
    positions: dict[str, int]
    unknown: tuple[tuple[str, int], ...] = ()
    head_unknown: tuple[tuple[str, int], ...] = ()
    line_unknown: tuple[tuple[str, int], ...] = ()


def placed_header(heads: Sequence[str], lines: Sequence[str], template: Template) -> Header:
    """The header of a file whose documents and lines have columns of their own, in this order.

    A column of ``columns`` that is not there is taken as left out: an element may be.

    Raises:
        FileRefused: A required column is missing, or two mean the same.
    """
    head = _find(heads, template, place="head")
    line = _find(lines, template, place="line")
    shift = len(heads)
    positions = head.positions | {field: index + shift for field, index in line.positions.items()}
    names = (*heads, *lines)
    _refuse_missing(names, positions, template)
    return Header(
        names=names,
        positions=positions,
        head_unknown=head.unknown,
        line_unknown=tuple((name, index + shift) for name, index in line.unknown),
    )


def read_header(cells: Sequence[str], template: Template) -> Header:
    """Find each field's column by name; the setting ``columns`` wins over names and aliases.

    Raises:
        FileRefused: A required column is missing, one is there twice, or ``columns`` names one that is not
        there.
    """
    names = tuple(cell.strip().lstrip("\ufeff").strip() for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    header = _find(names, template, place=None)
    _refuse_doubled(header.unknown, template)
    _refuse_missing(names, header.positions, template)
    return header


def _find(names: Sequence[str], template: Template, *, place: Place | None) -> Header:
    """Which of the names hold which fields; with ``place`` only fields that stand there are looked for."""
    columns = [column for column in COLUMNS[template.stream] if place is None or column.place == place]
    positions = _by_setting(names, template, {column.field for column in columns}, optional=place is not None)
    claimed = set(positions.values())
    known = _known(columns, place)
    for index, name in enumerate(names):
        column = _lookup(known, name if place is None else name.replace("/", "").replace("@", ""))
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
    return Header(names=tuple(names), positions=positions, unknown=unknown)


def _by_setting(
    names: Sequence[str], template: Template, fields: Collection[str], *, optional: bool
) -> dict[str, int]:
    positions: dict[str, int] = {}
    for field, wanted in template.columns.items():
        if field not in fields:
            continue
        found = [index for index, name in enumerate(names) if name == wanted.strip()] or [
            index for index, name in enumerate(names) if header_key(name) == header_key(wanted)
        ]
        if optional and not found:
            continue
        if len(found) != 1:
            what = "there more than once" if found else "not there"
            raise FileRefused(
                f"column {wanted!r}, named by {template.setting('columns')}.{field}, is {what}; "
                f"the file has: {', '.join(names)}"
            )
        positions[field] = found[0]
    return positions


def _known(columns: Sequence[Column], place: Place | None) -> dict[str, Column]:
    known: dict[str, Column] = {}
    for column in columns:
        # Within a line, "Amount" can only be the line's.
        of_line = (column.name,) if place == "line" else ()
        for name in (column.header, column.field, *column.aliases, *of_line):
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


def _refuse_missing(names: Sequence[str], positions: dict[str, int], template: Template) -> None:
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
