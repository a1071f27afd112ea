"""``reference align``: Stampli's vendors and GL accounts beside M3's, and the crosswalk rows that lack."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.policy import SettingsError
from stampli_infor_transforms.tables import TABLES

from target_infor_cloudsuite.alignment import align as align_all
from target_infor_cloudsuite.alignment import proposals
from target_infor_cloudsuite.audit.runs import neutral
from target_infor_cloudsuite.cli.loading import load_reference
from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import ExitCode, table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table
    from stampli_infor_transforms.reference import Reference

    from target_infor_cloudsuite.alignment import Aligned
    from target_infor_cloudsuite.cli.session import Session

_COLUMNS = (
    "stream",
    "cono",
    "company",
    "code",
    "name",
    "outcome",
    "m3_code",
    "m3_name",
    "text",
    "suggestions",
)


@click.command()
@common
@click.option("--csv", "as_csv", is_flag=True, help="Print a row a vendor or account as CSV.")
@click.option("--all", "all_", is_flag=True, help="In the table, show what fits as well.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for the crosswalk rows proposed, to review and merge by hand.",
)
def align(session: Session, *, as_csv: bool, all_: bool, output: Path | None) -> None:
    """Hold Stampli's vendors and GL accounts against M3. Exits with 3 when something does not fit."""
    settings = session.settings
    crosswalks = Crosswalks.load(settings.crosswalk_dir)
    if output is not None and output.resolve() == settings.crosswalk_dir.resolve():
        raise click.UsageError(
            "--output names the crosswalk_dir itself. Proposals are for a person to review first: "
            "give another directory."
        )
    today = Clock().now().date()
    with closing(Ledger(settings.ledger_url)) as ledger:
        ledger.open()

        def aligned(reference: Reference) -> tuple[Aligned, ...]:
            with ledger.read() as tx:
                return align_all(tx, crosswalks, settings.policy, reference, on=today)

        found = aligned(
            load_reference(session, crosswalks, statuses_of=lambda first: _matched(aligned(first)))
        )
    if as_csv:
        click.echo(_csv(found), nl=False)
    else:
        shown = [each for each in found if all_ or each.row.outcome != "matched"]
        session.show([each.to_json() for each in found], _summary(found), *_tables(shown))
    if not found:
        session.say("Stampli has exported no vendors and no GL accounts to this ledger yet.")
    if output is not None:
        _propose(session, found, output)
    if any(each.row.outcome != "matched" for each in found):
        click.get_current_context().exit(ExitCode.NEEDS_A_PERSON)


def _matched(found: Sequence[Aligned]) -> dict[int, set[str]]:
    """The suppliers that vendors were found to be, by company: only those can be blocked for somebody."""
    sunos: dict[int, set[str]] = defaultdict(set)
    for each in found:
        if each.stream == "vendors" and each.cono is not None and each.row.m3_code:
            sunos[each.cono].add(each.row.m3_code)
    return sunos


def _summary(found: Sequence[Aligned]) -> Table:
    counts = Counter((each.stream, each.row.outcome) for each in found)
    rows = [(stream, outcome, str(count)) for (stream, outcome), count in sorted(counts.items())]
    return table("Stampli beside M3", ("stream", "outcome", "count"), rows, numbers=("count",))


def _tables(shown: Sequence[Aligned]) -> list[Table]:
    columns = ("Stampli", "outcome", "M3", "what is wrong, and what may be meant")
    return [
        table(
            {"vendors": "Vendors", "gl_accounts": "GL accounts"}[stream],
            columns,
            [_cells(each) for each in shown if each.stream == stream],
            whole=("outcome",),
            apart=True,
        )
        for stream in ("vendors", "gl_accounts")
        if any(each.stream == stream for each in shown)
    ]


def _cells(each: Aligned) -> tuple[str, str, str, str]:
    row = each.row
    mine = "\n".join(filter(None, (f"{row.company} {row.code}".strip(), row.name)))
    theirs = "\n".join(filter(None, (row.m3_code, row.m3_name)))
    said = "\n".join([*filter(None, (row.text,)), *(f"perhaps: {text}" for text in row.suggestions)])
    return mine, row.outcome, theirs, said


def _csv(found: Sequence[Aligned]) -> str:
    """Safe to open in a spreadsheet: what begins like a formula is written as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for each in found:
        values = each.to_json() | {"suggestions": "; ".join(each.row.suggestions)}
        writer.writerow(["" if values[name] is None else neutral(str(values[name])) for name in _COLUMNS])
    return out.getvalue()


def _propose(session: Session, found: Sequence[Aligned], directory: Path) -> None:
    """Write the rows by crosswalk file, codes as they are: once agreed, they go into the crosswalks."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, rows in proposals(found).items():
            with (directory / name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, TABLES[name].columns)
                writer.writeheader()
                writer.writerows(rows)
            session.say(f"{len(rows)} rows proposed in {directory / name}. Review them before you merge any.")
    except OSError as fault:
        raise SettingsError(
            "--output", f"names {directory}, which cannot be written: {fault.strerror or fault}."
        ) from fault
