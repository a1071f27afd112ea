"""XML, streamed: each element at ``record_path`` is a document, each at ``line_path`` within it a line.

It is read twice: once for the elements' names, which become the columns, and once for the rows. Expat is used
directly, because what is dangerous is refused at the event where it appears: DTDs, entities, depth.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.reading.header import Header, placed_header
from tap_stampli_sftp.reading.rows import CUT, UNKNOWN_ELEMENT, UNPLACED, Row, Table
from tap_stampli_sftp.reading.text import LINE_FIELDS, text_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.limits import Limits
    from tap_stampli_sftp.reading.parts import Part
    from tap_stampli_sftp.templates import Template

MALFORMED_ELEMENT = "element_twice"
DEEPEST = 64
_SHOWN = 10


@dataclass(slots=True)
class _Record:
    """One document: its leaf elements by path, and those of its lines."""

    line: int
    head: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    twice: set[str] = field(default_factory=set)
    raw: str = ""
    fault: str = ""


def xml_table(part: Part, template: Template, *, encoding: str, limits: Limits) -> Table | None:
    """Read an XML file.

    Returns:
        None when it has no documents.

    Raises:
        FileRefused: It is not well-formed, dangerous, or has nothing at ``record_path``.
    """
    heads: dict[str, None] = {}
    lines: dict[str, None] = {}
    walk = _Walk(template, limits)
    for record in walk.records(part, encoding):
        if record.fault == UNKNOWN_ELEMENT:
            continue
        heads.update(dict.fromkeys(record.head))
        for _, cells in record.lines:
            lines.update(dict.fromkeys(cells))
    if not walk.found:
        if walk.elsewhere or walk.foreign_root:
            seen = ", ".join(list(walk.elsewhere)[:_SHOWN] or [walk.foreign_root])
            raise FileRefused(
                f"it has no element at {'/'.join(template.record_path)} but these: {seen}; "
                f"set {template.setting('record_path')}"
            )
        if not walk.cut_line:
            return None
    # Of a file that is cut off within its first document nothing is known yet.
    header = placed_header(list(heads), list(lines), template) if walk.found else Header((), {})
    return Table(header, _rows(_Walk(template, limits).records(part, encoding), header, len(heads)), ",")


def _rows(records: Iterator[_Record], header: Header, heads: int) -> Iterator[Row]:
    taken = set(header.positions.values())
    head_at = {name: index for index, name in enumerate(header.names[:heads])}
    line_at = {name: index for index, name in enumerate(header.names[heads:], start=heads)}
    mapped = {name for name, index in (head_at | line_at).items() if index in taken}
    width = len(header.names)
    for record in records:
        cells = [""] * width
        for name, text in record.head.items():
            if name in head_at:
                cells[head_at[name]] = text
        if record.fault == UNKNOWN_ELEMENT:
            yield Row(record.line, list(record.head), record.raw, record.fault, UNPLACED)
            continue
        fault = record.fault or (MALFORMED_ELEMENT if record.twice & mapped else "")
        yield Row(record.line, cells, record.raw, fault, "head")
        for line, texts in record.lines:
            cells = [""] * width
            for name, text in texts.items():
                if name in line_at:
                    cells[line_at[name]] = text
            yield Row(line, cells, "", "", "line")


class _Walk:
    """Goes through a file once, with bounded memory.

    ``found`` counts the documents, ``elsewhere`` names elements with children that are none, ``foreign_root``
    is the root where it is not that of the documents, ``cut_line`` is set where the file ends too early.
    """

    def __init__(self, template: Template, limits: Limits) -> None:
        self.found = 0
        self.elsewhere: dict[str, None] = {}
        self.foreign_root = ""
        self.cut_line = 0
        self._record_path = [name.casefold() for name in template.record_path]
        self._line_path = [name.casefold() for name in template.line_path]
        self._footer = template.footer
        self._limits = limits
        self._longest = limits.max_field_bytes * LINE_FIELDS
        self._ready: deque[_Record] = deque()
        self._record: _Record | None = None
        self._line: dict[str, str] | None = None
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._leaf = True
        self._buffer = bytearray()
        self._base = 0
        self._start = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype

    def records(self, part: Part, encoding: str) -> Iterator[_Record]:
        """Each document, and each element beside them; what is cut off at the end has a fault."""
        blank = True
        with part.open() as source:
            for text in text_chunks(source, encoding=encoding):
                data = text.lstrip("\ufeff \t\r\n") if blank else text
                blank = not data
                self._feed(data.encode())
                while self._ready:
                    yield self._ready.popleft()
        if blank:
            return
        try:
            self._parser.Parse(b"", True)  # noqa: FBT003  # expat's own signature
        except expat.ExpatError as error:
            self.cut_line = self._record.line if self._record else error.lineno
            raw = bytes(self._buffer[self._start - self._base :]).decode("utf-8", "replace")
            yield _Record(self.cut_line, raw=raw if self._record else "", fault=CUT)

    def _feed(self, data: bytes) -> None:
        self._buffer += data
        try:
            self._parser.Parse(data, False)  # noqa: FBT003  # as above
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise FileRefused(f"line {error.lineno} is not well-formed XML ({what})") from None
        keep = self._start if self._record is not None else self._parser.CurrentByteIndex
        if keep > self._base:
            del self._buffer[: keep - self._base]
            self._base = keep
        if len(self._buffer) > self._longest:
            raise FileRefused(
                f"line {self._parser.CurrentLineNumber} belongs to a document of more than {self._longest} "
                f"bytes ({LINE_FIELDS} times max_field_bytes)"
            )

    def _doctype(self, *_: object) -> None:
        raise FileRefused(
            f"line {self._parser.CurrentLineNumber} has a DTD or entity declaration, which is not accepted"
        )

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._path.append(name)
        self._texts.append([])
        self._leaf = True
        depth = len(self._path)
        if depth > DEEPEST:
            raise FileRefused(
                f"line {self._parser.CurrentLineNumber} is nested deeper than {DEEPEST} elements"
            )
        if depth == 1 and not _fits(self._path, self._record_path[:1]):
            self.foreign_root = name
        if self._record is None:
            if depth == len(self._record_path):
                self._open_record()
        elif self._line is None and self._is_line(depth):
            self._line = {}
            self._record.lines.append((self._parser.CurrentLineNumber, self._line))
        if self._record is not None:
            for key, text in attributes.items():
                if not key.startswith("xmlns"):
                    self._put(f"{self._name()}/@{key.rpartition(':')[2]}".lstrip("/"), text)

    def _open_record(self) -> None:
        self._start = self._parser.CurrentByteIndex
        self._record = _Record(self._parser.CurrentLineNumber)
        totals = self._footer is not None and self._footer.search(self._path[-1]) is not None
        if totals or not _fits(self._path, self._record_path):
            self._record.fault = UNKNOWN_ELEMENT

    def _is_line(self, depth: int) -> bool:
        path = self._path[len(self._record_path) :]
        return (
            bool(self._line_path)
            and depth == len(self._record_path) + len(self._line_path)
            and _fits(path, self._line_path)
        )

    def _name(self) -> str:
        """The path of the open element within its document or line."""
        above = len(self._record_path) + (len(self._line_path) if self._line is not None else 0)
        return "/".join(self._path[above:])

    def _text(self, text: str) -> None:
        if self._record is not None:
            self._texts[-1].append(text)

    def _put(self, name: str, text: str) -> None:
        record = self._record
        if record is None:
            return
        if len(text) > self._limits.max_field_bytes:
            raise FileRefused(
                f"line {self._parser.CurrentLineNumber} has an element of more than "
                f"{self._limits.max_field_bytes} characters (max_field_bytes)"
            )
        cells = record.head if self._line is None else self._line
        if name in cells:
            record.twice.add(name)
            cells[name] += f"\n{text}"
        else:
            cells[name] = text

    def _end(self, _: str) -> None:
        depth = len(self._path)
        text = "".join(self._texts.pop())
        if self._record is not None:
            leaf = self._leaf and depth > len(self._record_path)
            if self._line is not None and self._is_line(depth):
                if text.strip():
                    self._put("text", text)
                self._line = None
            elif depth == len(self._record_path):
                self._close_record(text, leaf=self._leaf)
            elif leaf or text.strip():
                self._put(self._name(), text)
        self._leaf = False
        self._path.pop()

    def _close_record(self, text: str, *, leaf: bool) -> None:
        record = self._record
        self._record = None
        if record is None:
            return
        if record.fault == UNKNOWN_ELEMENT:
            if leaf:
                # A plain value beside the documents, such as a count or a date of export.
                return
            if self._footer is None or not self._footer.search(self._path[-1]):
                self.elsewhere["/".join(self._path)] = None
            record.head = {self._path[-1]: ""}
            record.lines = []
        else:
            self.found += 1
            if text.strip():
                record.head["text"] = text
        end = self._buffer.find(b">", self._parser.CurrentByteIndex - self._base) + 1
        record.raw = bytes(self._buffer[self._start - self._base : end]).decode("utf-8", "replace")
        self._ready.append(record)


def _fits(path: list[str], wanted: list[str]) -> bool:
    return all(want in {"*", name.casefold()} for name, want in zip(path, wanted, strict=True))
