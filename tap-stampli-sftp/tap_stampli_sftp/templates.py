"""How the files of one stream look: the sample template, overridden by the setting ``templates``."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from tap_stampli_sftp.errors import SettingsError
from tap_stampli_sftp.fields import COLUMNS, FILE_STREAMS, TOTAL_FIELD, StreamName, header_key
from tap_stampli_sftp.settings_schema import TEMPLATE_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = ("auto", "csv", "tsv", "txt", "xml")
LAYOUTS = ("flat", "typed")
# Where the documents and their lines stand in XML, by the sample template.
_RECORD_PATHS = {
    StreamName.INVOICES: "Invoices/Invoice",
    StreamName.PAYMENTS: "Payments/Payment",
    StreamName.VENDORS: "Vendors/Vendor",
    StreamName.GL_ACCOUNTS: "GLAccounts/GLAccount",
}
_LINE_PATHS = {StreamName.INVOICES: "Lines/Line", StreamName.PAYMENTS: "Applications/Application"}


@dataclass(frozen=True, slots=True)
class Template:
    """How the files of one stream look. Field names are those of the setting ``templates``."""

    stream: StreamName
    enabled: bool
    pattern: str
    format: Literal["auto", "csv", "tsv", "txt", "xml"]
    layout: Literal["flat", "typed"]
    delimiter: str | None
    encoding: str
    columns: Mapping[str, str]
    date_formats: tuple[str, ...]
    decimal_mark: str | None
    skip_rows: int
    footer: re.Pattern[str] | None
    record_path: tuple[str, ...]
    line_path: tuple[str, ...]
    constants: Mapping[str, str]
    null_values: frozenset[str]
    total_from_lines: bool
    round_excess_decimals: bool

    def setting(self, name: str) -> str:
        """The full name of one of this template's settings, for messages."""
        return f"templates.{self.stream}.{name}"


def load_templates(value: object) -> dict[StreamName, Template]:
    """Merge the setting ``templates`` over the sample template.

    Args:
        value: A mapping stream -> overrides, the same as JSON text, or None.

    Raises:
        SettingsError: With every fault found, one a line.
    """
    given = _as_object(value)
    faults = [
        f"Setting templates names an unknown stream {name!r}; known: {', '.join(FILE_STREAMS)}."
        for name in given
        if name not in tuple(FILE_STREAMS)
    ]
    templates: dict[StreamName, Template] = {}
    for stream in FILE_STREAMS:
        overrides = given.get(stream) or {}
        if not isinstance(overrides, dict):
            faults.append(f"Setting templates.{stream} must be an object, not {type(overrides).__name__}.")
            continue
        reader = _Reader(stream=stream, given=overrides, faults=faults)
        templates[stream] = reader.template()
    if faults:
        raise SettingsError("\n".join(faults))
    return templates


def _as_object(value: object) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise SettingsError(
                f"Setting templates is text but no JSON: {error.msg} (line {error.lineno}, column "
                f"{error.colno})."
            ) from None
    if not isinstance(value, dict):
        raise SettingsError("Setting templates must be an object: stream -> how its files look.")
    return value


class _Reader:
    """Reads one stream's overrides, collecting faults instead of stopping at the first."""

    def __init__(self, *, stream: StreamName, given: dict[str, Any], faults: list[str]) -> None:
        self.stream = stream
        self.given = given
        self.faults = faults

    def template(self) -> Template:
        for name in self.given:
            if name not in TEMPLATE_PROPERTIES:
                self.fault(name, f"is unknown; known: {', '.join(TEMPLATE_PROPERTIES)}")
        columns = self.fields("columns")
        constants = self.fields("constants")
        for field in columns.keys() & constants.keys():
            self.fault(
                "constants", f"gives {field} a fixed value although columns maps it too; keep one of them"
            )
        total_from_lines = self.flag("total_from_lines", default=False)
        if total_from_lines and self.stream not in TOTAL_FIELD:
            self.fault("total_from_lines", "has no meaning: this stream has no lines")
        return Template(
            stream=self.stream,
            enabled=self.flag("enabled", default=True),
            pattern=self.text("pattern") or f"{self.stream}_*",
            format=self.choice("format", FORMATS, "auto"),
            layout=self.choice("layout", LAYOUTS, "flat"),
            delimiter=self.delimiter(),
            encoding=self.encoding(),
            columns=columns,
            date_formats=self.date_formats(),
            decimal_mark=self.choice("decimal_mark", (".", ","), "") or None,
            skip_rows=self.skip_rows(),
            footer=self.footer(),
            record_path=self.path("record_path", _RECORD_PATHS),
            line_path=self.path("line_path", _LINE_PATHS),
            constants=constants,
            null_values=frozenset(text.strip().casefold() for text in self.texts("null_values")),
            total_from_lines=total_from_lines,
            round_excess_decimals=self.flag("round_excess_decimals", default=False),
        )

    def fault(self, name: str, text: str) -> None:
        self.faults.append(f"Setting templates.{self.stream}.{name} {text}.")

    def text(self, name: str) -> str:
        value = self.given.get(name)
        if value is None or isinstance(value, str):
            return value or ""
        self.fault(name, f"must be text, not {type(value).__name__}")
        return ""

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.given.get(name, default)
        if not isinstance(value, bool):
            self.fault(name, "must be true or false")
            return default
        return value

    def texts(self, name: str) -> list[str]:
        value = self.given.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(name, "must be a list of texts")
            return []
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> Any:
        value = self.given.get(name, default)
        if value in allowed or value == default:
            return value
        self.fault(name, f"is {value!r}; available: {', '.join(allowed)}")
        return default

    def fields(self, name: str) -> dict[str, str]:
        value = self.given.get(name) or {}
        if not isinstance(value, dict):
            self.fault(name, "must be an object")
            return {}
        known = {header_key(column.field): column.field for column in COLUMNS[self.stream]}
        known |= {header_key(column.header): column.field for column in COLUMNS[self.stream]}
        result: dict[str, str] = {}
        for key, text in value.items():
            field = known.get(header_key(key))
            if field is None:
                fields = ", ".join(column.field for column in COLUMNS[self.stream])
                self.fault(
                    name,
                    f"names {key!r}, which is no field or sample column of this stream; fields: {fields}",
                )
            elif not isinstance(text, str) or not text.strip():
                self.fault(f"{name}.{key}", "must be a text that is not blank (write numbers in quotes)")
            elif field in result:
                self.fault(name, f"names the field {field} twice")
            else:
                result[field] = text
        return result

    def delimiter(self) -> str | None:
        text = self.text("delimiter").replace("\\t", "\t")
        if len(text) > 1 or text in {'"', "\n", "\r"}:
            self.fault("delimiter", "must be one character, and no quote or line break")
            return None
        return text or None

    def encoding(self) -> str:
        name = self.text("encoding") or "utf-8-sig"
        try:
            "".encode(name)
            canonical = codecs.lookup(name).name
        except (LookupError, UnicodeError):
            self.fault(
                "encoding",
                f"is {name!r}, which Python does not know as a text encoding (utf-8, cp1252, utf-16 ..)",
            )
            return "utf-8-sig"
        return "utf-8-sig" if canonical == "utf-8" else canonical

    def date_formats(self) -> tuple[str, ...]:
        value = self.given.get("date_format")
        formats = [value] if isinstance(value, str) and value else (value or [])
        if not isinstance(formats, list) or not all(isinstance(item, str) and item for item in formats):
            self.fault("date_format", "must be a strptime format such as %d/%m/%Y, or a list of them")
            return ()
        sample = datetime(2026, 11, 23, tzinfo=UTC)
        for item in formats:
            try:
                read = datetime.strptime(sample.strftime(item), item)  # noqa: DTZ007  # a date's format, no moment
            except ValueError:
                self.fault("date_format", f"is {item!r}, which strptime cannot read")
                continue
            if (read.year, read.month, read.day) != (sample.year, sample.month, sample.day):
                self.fault("date_format", f"is {item!r}, which does not give year, month and day")
        return tuple(formats)

    def path(self, name: str, defaults: Mapping[StreamName, str]) -> tuple[str, ...]:
        text = self.text(name) or defaults.get(self.stream, "")
        parts = tuple(part.strip() for part in text.strip().strip("/").split("/")) if text else ()
        if not all(parts) or (text and not text.strip("/ ")):
            self.fault(name, f"is {text!r}; it must be names of elements such as Invoices/Invoice, * for any")
        elif text and not defaults.get(self.stream):
            self.fault(name, "has no meaning: this stream has no lines")
        return parts

    def skip_rows(self) -> int:
        value = self.given.get("skip_rows", 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fault("skip_rows", "must be a whole number, 0 or more")
            return 0
        return value

    def footer(self) -> re.Pattern[str] | None:
        text = self.text("footer_pattern")
        try:
            return re.compile(text) if text else None
        except re.error as error:
            self.fault("footer_pattern", f"is no regular expression: {error}")
            return None
