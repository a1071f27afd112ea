"""``tap-stampli-sftp-template``: how the tap sees a sample file's columns, and a template to start from."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.parsers import expat

import click

from tap_stampli_sftp.fields import COLUMNS, FILE_STREAMS, REQUIRED, StreamName, header_key

_SAMPLE_BYTES = 64 * 1024
_DELIMITERS = ",;\t|"
_ENCODINGS = ("utf-8-sig", "cp1252")


@click.command()
@click.argument("sample", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stream", type=click.Choice([str(name) for name in FILE_STREAMS]), default="invoices")
def main(sample: Path, stream: str) -> None:
    """Print the columns of SAMPLE, how each is matched, and a `templates:` block to paste and complete."""
    data = sample.read_bytes()[:_SAMPLE_BYTES]
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else _ENCODINGS[not _is_utf8(data)]
    text = data.decode(encoding, "replace")
    delimiter = ""
    if text.lstrip("\ufeff \r\n").startswith("<"):
        names = _leaves(data)
    else:
        delimiter = max(_DELIMITERS, key=text.split("\n", 1)[0].count)
        names = [cell.strip() for cell in next(csv.reader(text.splitlines(), delimiter=delimiter), [])]
    click.echo(describe(StreamName(stream), names, encoding=encoding, delimiter=delimiter), nl=False)


def describe(stream: StreamName, names: list[str], *, encoding: str, delimiter: str) -> str:
    """The report: a line for each column, then the template.

    Args:
        stream: The stream the file is for.
        names: Its columns.
        encoding: As guessed from its bytes.
        delimiter: As guessed; empty for XML.
    """
    matched: dict[str, str] = {}
    lines = []
    for name in names:
        field, how = _match(stream, name)
        if field in matched:
            how = f"means {field} as {matched[field]!r} does: choose one in columns"
        elif field:
            matched[field] = name
        lines.append(f"# {name or '(no name)'}: {how}")
    lines += ["templates:", f"  {stream}:"]
    if encoding != "utf-8-sig":
        lines.append(f"    encoding: {encoding}")
    if delimiter not in {"", ","}:
        lines.append(f'    delimiter: "{delimiter}"'.replace("\t", "\\t"))
    missing = [group for group in REQUIRED[stream] if not set(group) & matched.keys()]
    lines.append("    columns:" if missing else "    columns: {}")
    lines += [f"      {group[0]}: ''  # required: which column is it?" for group in missing]
    return "\n".join(lines) + "\n"


def _match(stream: StreamName, name: str) -> tuple[str, str]:
    key = header_key(name.replace("/", "").replace("@", ""))
    for column in COLUMNS[stream]:
        if key in {header_key(column.header), header_key(column.field)}:
            return column.field, f"{column.field}, by its name"
    for column in COLUMNS[stream]:
        if key in map(header_key, column.aliases):
            return column.field, f"{column.field}, by an alias"
    return "", "not known; kept in extra"


def _is_utf8(data: bytes) -> bool:
    # The sample may end within a character.
    try:
        re.sub(rb"[\x80-\xff]{1,3}$", b"", data).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _leaves(data: bytes) -> list[str]:
    names: dict[str, None] = {}
    stack: list[str] = []
    parser = expat.ParserCreate()

    def end(name: str) -> None:
        if stack and stack[-1] == name:
            names[name] = None
        stack.clear()

    def refuse(*_: object) -> None:
        raise click.ClickException("The sample has a DTD, which the tap does not accept.")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: stack.append(name)
    parser.EndElementHandler = end
    try:
        parser.Parse(data, False)  # noqa: FBT003  # expat's own signature
    except expat.ExpatError as error:
        raise click.ClickException(f"The sample is not well-formed XML: {error}.") from None
    return list(names)


if __name__ == "__main__":
    main()
