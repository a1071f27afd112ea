"""The report as one HTML file: no script, nothing from elsewhere, and every text escaped."""

from __future__ import annotations

import base64
import hashlib
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from target_infor_cloudsuite.report import charts, words
from target_infor_cloudsuite.report.charts import Part
from target_infor_cloudsuite.report.figures import STANDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_infor_cloudsuite.report.figures import Age, CompanyMoney, Day, Doubts, Figures, RunFigures

_DOUBT_TITLES: Final = {
    "adopted": ("M3 had it: adopted", "posted"),
    "resent": ("M3 did not have it: sent once more", "moving"),
    "person": ("M3 could not tell: to a person", "waiting"),
    "undecided": ("Not decided yet", "aside"),
}
_OUTCOME_FILLS: Final = {
    "matched": "posted",
    "renamed": "moving",
    "ambiguous": "waiting",
    "blocked": "waiting",
    "unmatched": "waiting",
}


def render(figures: Figures) -> str:
    """The page. Its size is bounded, whatever the ledger's."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html")
        .render(
            figures=figures,
            # The browser is told to load nothing, and to apply no style but this one.
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
            style=Markup(style),  # noqa: S704 - our own file
            headline=words.headline(figures),
            standings=STANDINGS,
            kinds=words.KINDS,
            lists=words.LISTS,
            version=version("target-infor-cloudsuite"),
            doubt_titles=_DOUBT_TITLES,
            standing_bar=standing_bar,
            count_bar=count_bar,
            money_bar=money_bar,
            age_bar=age_bar,
            day_columns=day_columns,
            run_columns=run_columns,
            doubt_bar=doubt_bar,
            outcome_bar=outcome_bar,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("target_infor_cloudsuite.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": words.name,
        "number": words.number,
        "money": words.money,
        "amount": words.amount,
        "moment": words.moment,
        "day": words.day,
        "duration": words.duration,
        "documents": words.documents,
    }
    return environment


@cache
def _style() -> str:
    source, _, _ = PackageLoader("target_infor_cloudsuite.report").get_source(Environment(), "report.css")  # noqa: S701
    return source


def standing_bar(title: str, standings: Mapping[str, int]) -> Markup:
    """How documents of one kind stand."""
    return charts.share_bar(title, [Part(STANDINGS[name], count, name) for name, count in standings.items()])


def count_bar(title: str, count: int, most: int) -> Markup:
    """A count beside others, of which the largest takes the full width."""
    return charts.share_bar(title, [Part("Documents", count, "waiting")], whole=most)


def money_bar(company: CompanyMoney, kind: str, currency: str, companies: Iterable[CompanyMoney]) -> Markup:
    """A company's amounts by standing, to the scale of all companies in this currency."""
    most = max(_width(each.sums.get(kind, {})) for each in companies)
    sums = company.sums.get(kind, {})
    parts = [
        Part(STANDINGS[name], float(sums[name]), name, words.money(sums[name], currency))
        for name in STANDINGS
        if name in sums and name != "aside"
    ]
    return charts.share_bar(company.company or "No company named", parts, whole=float(most))


def _width(sums: Mapping[str, Decimal]) -> Decimal:
    return sum((amount for name, amount in sums.items() if name != "aside" and amount > 0), start=Decimal(0))


def age_bar(age: Age, ages: Iterable[Age]) -> Markup:
    """How many have waited that long, beside the others."""
    return count_bar(f"Came {age.title}", age.count, max(each.count for each in ages))


def day_columns(what: str, title: str, days: Iterable[Day]) -> Markup:
    """``came`` or ``posted`` by day, both to the same scale."""
    days = list(days)
    most = max((max(each.came, each.posted) for each in days), default=0)
    fill = "posted" if what == "posted" else "moving"
    return charts.columns(
        title, [Part(words.day(each.day), getattr(each, what), fill) for each in days], top=most
    )


def run_columns(what: str, title: str, runs: Iterable[RunFigures], *, top: float = 0) -> Markup:
    """``posted`` or ``quota_percent`` by run; one that did not end well has the colour of what waits."""
    parts = [
        Part(
            words.moment(each.started_at),
            getattr(each, what) or 0,
            "posted" if each.outcome == "ended" else "waiting",
        )
        for each in runs
    ]
    return charts.columns(title, parts, top=top)


def doubt_bar(doubts: Doubts) -> Markup:
    """How doubts were decided."""
    parts = [Part(title, getattr(doubts, name), fill) for name, (title, fill) in _DOUBT_TITLES.items()]
    return charts.share_bar("Writes in doubt", parts)


def outcome_bar(title: str, counts: Mapping[str, int]) -> Markup:
    """How a list of Stampli's lines up with M3's."""
    return charts.share_bar(
        title, [Part(name, count, _OUTCOME_FILLS[name]) for name, count in counts.items()]
    )
