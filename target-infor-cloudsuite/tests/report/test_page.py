"""The page as text: everything escaped, nothing secret, of bounded size whatever the ledger holds."""

from __future__ import annotations

import json
import re
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stampli_infor_transforms.groups import GROUPS
from target_infor_cloudsuite.ledger import Ledger, reference
from target_infor_cloudsuite.ledger.runs import totals
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.report import charts, waiting, words
from target_infor_cloudsuite.report.as_json import as_json
from target_infor_cloudsuite.report.charts import Part
from target_infor_cloudsuite.report.figures import STANDINGS, standing_of
from target_infor_cloudsuite.report.page import render
from target_infor_cloudsuite.report.write import NothingToReport, ReportError, write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.settings import Settings
    from tests.report import ledgers
    from tests.report.conftest import Made
else:
    import report_ledgers as ledgers

HOSTILE = (
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- ",
    "\u202egpj.exe",
)


SHAPE = re.compile(r' x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"')


class Elements(HTMLParser):
    """The elements and attributes of a page, and what is wrong with their nesting."""

    VOID = frozenset({"meta", "br", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("count", [0, 1, 100_000])
def test_it_is_one_bounded_file_without_script_or_link_elsewhere(
    count: int, made: Callable[[int], Made]
) -> None:
    text = made(count).text
    assert len(text.encode()) < 150_000
    page = Elements(text)
    assert page.tags.isdisjoint({"script", "link", "iframe", "img", "object", "form", "base"})
    assert page.attributes.isdisjoint({"src", "style", "onclick", "srcset", "action"})
    assert set(re.findall(r'href="([^"]*)"', text)) == {
        *("#state", "#waiting", "#money", "#time", "#runs", "#checks")
    }
    assert "://" not in text
    assert "default-src 'none'" in text.replace("&#39;", "'")


def test_no_bank_account_and_no_secret_is_in_it(made: Callable[[int], Made]) -> None:
    for count in (1, 100_000):
        assert ledgers.BANK_ACCOUNT not in made(count).text
        assert ledgers.BANK_ACCOUNT not in json.dumps(as_json(made(count).figures))
    assert "bank_not_set_up" in made(100_000).text


def test_words_that_may_quote_a_bank_account_are_left_out(made: Callable[[int], Made]) -> None:
    """A tap quotes the cells of a row that it could not read; what is wrong with an account quotes that."""
    shown = [each for group in made(100_000).figures.groups for each in group.documents]
    assert shown
    rejected = [text for each in shown if each.status == "rejected" for _, text in each.texts]
    assert set(rejected) <= {""}


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_names_are_text_and_nothing_else(
    evil: str, tmp_path: Path, settings: Settings, made: Callable[[int], Made]
) -> None:
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ledger.open()
        ledgers.fill(ledger, 300)
        ledgers.keep_reference(ledger)
        ledgers.poison(ledger, evil)
        write_report(ledger, settings, tmp_path / "report.html", now=ledgers.NOW)
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Elements(text)
    honest = Elements(made(100_000).text)
    assert page.tags <= honest.tags
    assert page.attributes <= honest.attributes
    assert sum(evil in each for each in page.words) > 30
    assert text.count("<style>") == text.count("</style>") == 1


def test_every_document_counts_once(made: Callable[[int], Made]) -> None:
    figures, ledger = made(100_000).figures, Ledger(f"sqlite:///{made(100_000).ledger}")
    with closing(ledger), ledger.read() as tx:
        found = totals(tx)
    counts = {kind: {name: each["count"] for name, each in of.items()} for kind, of in found.items()}
    assert figures.statuses == counts
    standings = figures.standings()
    assert sum(standings.values()) == 100_000
    assert sum(group.count for group in figures.groups) == standings["waiting"]
    assert sum(each.count for each in figures.ages) == standings["waiting"]
    assert [group.group for group in figures.groups] == list(GROUPS)
    for currency in figures.currencies:
        for kind in ("invoice", "payment"):
            for standing in STANDINGS:
                wanted = sum(
                    (
                        Decimal(each["amounts"][currency.currency])
                        for status, each in found[kind].items()
                        if standing_of(status) == standing and currency.currency in each["amounts"]
                    ),
                    start=Decimal(0),
                )
                assert currency.sums[kind].get(standing, 0) == wanted
                parts = (each.sums.get(kind, {}).get(standing, 0) for each in currency.companies)
                assert sum(parts, start=Decimal(0)) == wanted


def test_all_sizes_are_bounded_whatever_is_in_the_ledger(tmp_path: Path, settings: Settings) -> None:
    """Everything that may be long is: names, codes, companies, currencies, reasons of one document."""
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ledger.open()
        ledgers.fill(ledger, 300, all_different=True)
        tracemalloc.start()
        try:
            figures = write_report(ledger, settings, tmp_path / "report.html", now=ledgers.NOW)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (tmp_path / "report.html").stat().st_size < 120_000
    assert peak < 15_000_000
    assert figures.companies_more == 288
    assert figures.currencies_more == 288
    assert any(group.codes_more for group in figures.groups)


def test_nothing_is_written_of_an_empty_ledger(tmp_path: Path, settings: Settings) -> None:
    page = tmp_path / "output" / "report.html"
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ledger.open()
        with pytest.raises(NothingToReport, match=r"is empty.*Nothing was written\. Run the pipeline first"):
            write_report(ledger, settings, page, now=ledgers.NOW)
        assert not page.parent.exists()


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, settings: Settings, made: Callable[[int], Made]
) -> None:
    (tmp_path / "full").mkdir()
    blocked = tmp_path / "full" / "report.html"
    blocked.mkdir()
    with closing(Ledger(f"sqlite:///{made(1).ledger}")) as ledger:
        for path in (blocked, tmp_path / "full" / "report.html" / "x" / "\0.html", tmp_path / ("x" * 300)):
            with pytest.raises((ReportError, ValueError)):
                write_report(ledger, settings, path, now=ledgers.NOW)
    assert list((tmp_path / "full").iterdir()) == [blocked]


def test_crosswalks_that_cannot_be_read_are_told_and_nothing_else_is_missing(
    made: Callable[[int], Made], tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "suppliers.csv").write_text("nonsense\n1\n", "utf-8")
    with closing(Ledger(f"sqlite:///{made(1).ledger}")) as ledger:
        broken = replace(settings, crosswalk_dir=tmp_path)
        figures = write_report(ledger, broken, tmp_path / "report.html", now=ledgers.NOW)
    assert "suppliers.csv" in figures.alignment_fault
    assert "Could not be compared" in (tmp_path / "report.html").read_text("utf-8")


def test_the_last_reconciliation_is_told(
    made: Callable[[int], Made], tmp_path: Path, settings: Settings
) -> None:
    assert "Last reconciliation" not in made(1).text
    difference = {"code": "not_in_m3", "text": "M3 lacks <it>. Look.", "document_id": 1}
    for differences, words_shown in (([], "agreed to the cent"), ([difference] * 9, "and 1 more")):
        path = tmp_path / "ledger.db"
        path.write_bytes(made(1).ledger.read_bytes())
        with closing(Ledger(f"sqlite:///{path}")) as ledger:
            with ledger.write() as tx:
                content = {"since": None, "differences": differences}
                reference.keep(tx, "reconciliation", content, read_at=ledgers.NOW)
            write_report(ledger, settings, tmp_path / "report.html", now=ledgers.NOW)
        assert words_shown in (tmp_path / "report.html").read_text("utf-8")


def test_the_figures_as_json_have_exact_amounts(made: Callable[[int], Made]) -> None:
    found = json.loads(json.dumps(as_json(made(100_000).figures)))
    (euro,) = (each for each in found["currencies"] if each["currency"] == "EUR")
    assert re.fullmatch(r"-?\d+\.\d\d", euro["sums"]["invoice"]["posted"])
    assert found["made_at"] == "2026-11-25T16:30:00.000000+00:00"
    assert found["days"][-1]["day"] == "2026-11-25"
    assert {each["group"] for each in found["groups"]} == set(GROUPS)


# -- the pure parts ------------------------------------------------------------


def test_ages_are_whole_days() -> None:
    today = date(2026, 11, 25)
    days = {(today - timedelta(days=age)).isoformat(): 1 for age in (0, 1, 2, 3, 6, 7, 13, 14, 29, 30, 400)}
    assert [each.count for each in waiting.ages(days, today)] == [1, 2, 2, 2, 2, 2]
    assert [each.count for each in waiting.ages({"2026-11-26": 1}, today)] == [1, 0, 0, 0, 0, 0], (
        "a clock ahead"
    )


def test_standings_know_every_status() -> None:
    assert {standing_of(status) for status in Status} == STANDINGS.keys()
    assert [status for status in Status if standing_of(status) == "waiting"] == [
        *("rejected", "review", "in_doubt", "failed")
    ]


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        ("1234567.5", "EUR", "1,234,567.50 EUR"),
        ("-0.125", "KWD", "-0.125 KWD"),
        ("128000", "JPY", "128,000 JPY"),
        ("5", "", "5.00"),
        ("99999999999999.9999", "EUR", "99,999,999,999,999.9999 EUR"),
    ],
)
def test_money_is_shown_to_the_last_decimal(value: str, currency: str, shown: str) -> None:
    assert words.money(Decimal(value), currency) == shown
    assert words.amount(Decimal(value), currency) == shown.removesuffix(currency).strip()


@given(st.lists(st.floats(0, 1e15), max_size=12), st.one_of(st.none(), st.floats(1, 1e15)))
def test_bars_stay_within_their_frame(values: list[float], whole: float | None) -> None:
    whole = None if whole is None else max(whole, sum(values))
    drawn = charts.share_bar("x", [Part("p", value, "posted") for value in values], whole=whole)
    shapes = [[float(each) for each in shape] for shape in SHAPE.findall(drawn)]
    ends = [x + width for x, _, width, _ in shapes]
    assert len(ends) == sum(value > 0 for value in values)
    assert ends == sorted(ends)
    assert all(end <= 1001 for end in ends)
    drawn = charts.columns("x", [Part("p", value, "posted") for value in values])
    shapes = [[float(each) for each in shape] for shape in SHAPE.findall(drawn)]
    assert all(99 < y + height < 101 for _, y, _, height in shapes)


def test_the_headline_says_what_there_is_to_do(made: Callable[[int], Made]) -> None:
    assert words.headline(made(0).figures) == "No document has come yet"
    assert words.headline(made(100_000).figures).endswith("documents wait for a person")
    one = replace(made(1).figures, statuses={"invoice": {"review": 1, "posted": 4}})
    assert words.headline(one) == "1 document waits for a person"
    none = replace(made(1).figures, statuses={"invoice": {"posted": 4, "ready": 1}})
    assert words.headline(none) == "Nothing waits for a person"
    assert "Nothing waits for a person" in render(replace(none, runs=(), settled=(), files=()))
