"""Row-typed CSV: the first column is ``Header``, ``Line``, ``Split`` or ``Tax``, each with its own columns.

The first row of each type names its columns; all of these stand above the data. A ``Split`` is a share of
the ``Line`` before it and takes its place. A ``Tax`` belongs to the ``Line`` or ``Split`` before it; above
the first ``Line`` to the document.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.reading.flat import delimited
from tap_stampli_sftp.reading.header import placed_header
from tap_stampli_sftp.reading.rows import CUT, ENDS, UNKNOWN_TYPE, UNPLACED, Table, checked, pieces
from tap_stampli_sftp.reading.values import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.templates import Template

_KINDS = {"header": "head", "line": "line", "split": "split", "tax": "tax"}
_TYPES = "Header, Line, Split, Tax"


def typed_table(lines: Iterator[str], template: Template, *, kind: str, max_field: int) -> Table | None:
    """Read a row-typed file; for the arguments see ``flat.delimited``.

    Returns:
        None when the file is empty.

    Raises:
        FileRefused: The rows that name the columns cannot be read.
    """
    rows, delimiter = delimited(lines, template, kind=kind, max_field=max_field)
    titles: dict[str, list[str]] = {}
    first = None
    for row in rows:
        found = _kind_of(row)
        if row.fault or not found:
            if not titles:
                raise FileRefused(
                    f"line {row.line} begins with {row.cells[0][:40] if row.cells else ''!r}; with layout "
                    f"'typed' it must name columns, and begin with one of {_TYPES}"
                )
            first = row
            break
        if found in titles:
            first = row
            break
        titles[found] = [cell.strip() for cell in row.cells[1:]]
    if not titles:
        return None
    layout = _Layout(titles, template)
    return Table(
        layout.header, layout.unified(chain([first] if first else [], rows), delimiter=delimiter), delimiter
    )


def _kind_of(row: Row) -> str:
    return _KINDS.get(row.cells[0].strip().lstrip("\ufeff").casefold(), "") if row.cells else ""


class _Layout:
    """Brings the cells of each type of row to their places in one common row."""

    def __init__(self, titles: dict[str, list[str]], template: Template) -> None:
        heads = _unique(titles.get("head", []), "Header")
        lines: dict[str, None] = {}
        named = {kind: _unique(names, kind.title()) for kind, names in titles.items() if kind != "head"}
        if "tax" in named:
            named["tax"] = [_TAX_NAMES.get(name.casefold(), name) for name in named["tax"]]
        for names in named.values():
            lines.update(dict.fromkeys(name for name in names if name))
        self.header = placed_header(heads, list(lines), template)
        place = {name: len(heads) + index for index, name in enumerate(lines)}
        self._places = {kind: [place.get(name, -1) for name in names] for kind, names in named.items()}
        self._places["head"] = list(range(len(heads)))
        self._named = set(titles)
        self._width = len(heads) + len(lines)

    def unified(self, rows: Iterator[Row], *, delimiter: str) -> Iterator[Row]:
        """The rows with their cells in their common places, and their kinds."""
        for row in rows:
            told = self._told(row)
            if told.fault and not row.fault:
                yield from map(self._placed, pieces(told, delimiter=delimiter))
            else:
                yield self._placed(told)

    def _places_of(self, row: Row) -> list[int]:
        kind = _kind_of(row)
        return self._places.get(kind, []) if kind in self._named else []

    def _told(self, row: Row) -> Row:
        if row.fault or not any(cell.strip() for cell in row.cells):
            return row
        if places := self._places_of(row):
            return checked(row, len(places) + 1)
        return row._replace(fault=UNKNOWN_TYPE if row.raw.endswith(ENDS) else CUT)

    def _placed(self, row: Row) -> Row:
        places = self._places_of(row)
        if not places:
            # Its text is kept where the footer is looked for.
            return row._replace(kind=UNPLACED)
        cells = [""] * self._width
        for place, cell in zip(places, row.cells[1:], strict=False):
            if place >= 0:
                cells[place] = cell
        return row._replace(cells=cells, kind=_kind_of(row))


# What a Tax row calls its own amount and code.
_TAX_NAMES = {"amount": "Line Tax Amount", "tax amount": "Line Tax Amount", "line amount": "Line Tax Amount"}
_TAX_NAMES |= {"code": "Tax Code"}


def _unique(names: Sequence[str], row_type: str) -> list[str]:
    for name in names:
        if name and list(names).count(name) > 1:
            raise FileRefused(f"the columns of {row_type} rows name {name!r} twice; have the export mended")
    return list(names)


def folded(
    rows: Sequence[Row], positions: dict[str, int], amount: Callable[[Row, str], Decimal | None]
) -> tuple[list[Row], Row | None]:
    """The document's lines, with their splits and taxes laid over them.

    Args:
        rows: Of one document, with their kinds.
        positions: Field -> index of its cell.
        amount: Reads a field's amount from a row.

    Returns:
        One row for each line or split, and the tax row that belongs to the document itself.

    Raises:
        RejectedError: A split or tax has nothing to belong to, or the splits do not add up to their line.
    """
    fold = _Fold(positions, amount)
    for row in rows:
        fold.take(row)
    return fold.finished()


class _Fold:
    def __init__(self, positions: dict[str, int], amount: Callable[[Row, str], Decimal | None]) -> None:
        self._at = positions
        self._amount = amount
        self._done: list[Row] = []
        self._line: Row | None = None
        self._splits: list[Row] = []
        self._taxed = False
        self._head_tax: Row | None = None

    def take(self, row: Row) -> None:
        if row.kind == "tax":
            self._tax(row)
            return
        if row.kind == "split":
            if self._line is None:
                raise RejectedError("row_out_of_place", f"Line {row.line}: a Split without a Line before it.")
            self._splits.append(row)
        else:
            self._close()
            self._line = row if row.kind == "line" else None
        self._taxed = False

    def finished(self) -> tuple[list[Row], Row | None]:
        self._close()
        return self._done, self._head_tax

    def _tax(self, row: Row) -> None:
        if self._taxed:
            raise RejectedError(
                "tax_twice", f"Line {row.line}: a second Tax for the same row; a line has one tax code."
            )
        self._taxed = True
        if self._splits:
            self._splits[-1] = _laid_over(self._splits[-1], row)
        elif self._line is not None:
            self._line = _laid_over(self._line, row)
        else:
            self._head_tax = row

    def _close(self) -> None:
        line, splits = self._line, self._splits
        if line is not None and splits:
            self._check_sum(line, splits)
            self._done += [self._share(line, split, index, len(splits)) for index, split in enumerate(splits)]
        elif line is not None:
            self._done.append(line)
        self._line, self._splits = None, []

    def _check_sum(self, line: Row, splits: list[Row]) -> None:
        whole = self._amount(line, "line_amount")
        shares = sum((self._amount(split, "line_amount") or Decimal(0) for split in splits), Decimal(0))
        if whole is not None and whole != shares:
            raise RejectedError(
                "splits_differ", f"Line {line.line} has the amount {whole}, its Splits add up to {shares}."
            )

    def _share(self, line: Row, split: Row, index: int, count: int) -> Row:
        """One split as a line: its own cells over the line's. The line's tax stays with the first split."""
        cells = list(line.cells)
        at = self._at
        for field in ("line_amount", "line_tax_amount") if index else ("line_amount",):
            if field in at:
                cells[at[field]] = ""
        share = _laid_over(line._replace(cells=cells), split)
        number = at.get("line_number")
        if number is not None and count > 1 and line.cells[number].strip():
            own = split.cells[number].strip() or str(index + 1)
            share.cells[number] = f"{line.cells[number].strip()}.{own}"
        return share._replace(line=split.line)


def _laid_over(below: Row, above: Row) -> Row:
    cells = [new if new.strip() else old for old, new in zip(below.cells, above.cells, strict=True)]
    return below._replace(cells=cells)
