"""Money, moments and JSON come back from the database exactly as they went in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from target_infor_cloudsuite.ledger.types import Json, Money, Utc, canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 2**63 - 1
TABLE = sa.Table(
    "values_of_each_kind",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("money", Money),
    sa.Column("moment", Utc),
    sa.Column("content", Json),
)
amounts = st.integers(-LARGEST, LARGEST).map(lambda units: Decimal(units).scaleb(-4))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=zones)  # noqa: DTZ001 - zones follow
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        yield connection
    engine.dispose()


def there_and_back(connection: sa.Connection, name: str, value: Any) -> Any:
    connection.execute(sa.delete(TABLE))
    connection.execute(sa.insert(TABLE).values({name: value}))
    return connection.execute(sa.select(TABLE.c[name])).scalar_one()


@given(amount=amounts)
def test_every_amount_that_fits_comes_back(connection: sa.Connection, amount: Decimal) -> None:
    found = there_and_back(connection, "money", amount)
    assert isinstance(found, Decimal)
    assert found == amount


@given(amount=st.decimals(places=4, min_value=-(10**14), max_value=10**14))
def test_a_sum_is_exact(connection: sa.Connection, amount: Decimal) -> None:
    connection.execute(sa.delete(TABLE))
    connection.execute(sa.insert(TABLE), [{"money": amount}, {"money": Decimal("0.0001")}, {"money": None}])
    assert connection.execute(sa.select(sa.func.sum(TABLE.c.money))).scalar_one() == amount + Decimal(
        "0.0001"
    )


@pytest.mark.parametrize(
    "amount",
    [
        Decimal("0.00001"),
        Decimal("1.00000000000000000000000000000000000001"),
        Decimal(LARGEST) + 1,
        Decimal("1E+400"),
        Decimal("1E-400"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
    ],
)
def test_what_cannot_be_held_exactly_is_refused(connection: sa.Connection, amount: Decimal) -> None:
    with pytest.raises(sa.exc.StatementError, match="cannot hold the amount"):
        there_and_back(connection, "money", amount)


@given(moment=moments)
def test_a_moment_comes_back_in_utc(connection: sa.Connection, moment: datetime) -> None:
    found = there_and_back(connection, "moment", moment)
    assert found == moment
    assert found.utcoffset() == timedelta(0)


@given(one=moments, other=moments)
def test_the_order_of_the_texts_is_the_order_of_the_moments(one: datetime, other: datetime) -> None:
    assert (utc_text(one) < utc_text(other)) == (one < other)
    assert (utc_text(one) == utc_text(other)) == (one == other)


def test_a_moment_without_a_zone_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.StatementError, match="no time zone"):
        there_and_back(connection, "moment", datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


@given(value=values)
def test_json_comes_back(connection: sa.Connection, value: Any) -> None:
    found = there_and_back(connection, "content", {"value": value})
    assert found == {"value": value}
    assert canonical_json(found) == canonical_json({"value": value})


@given(value=st.decimals(allow_nan=False, allow_infinity=False) | st.floats(allow_nan=False))
def test_a_number_with_decimals_is_kept_as_text_and_hashes_the_same_ever_after(
    value: Decimal | float,
) -> None:
    text = canonical_json({"value": value})
    again = json.loads(text)
    assert again == {"value": str(value)}
    assert canonical_json(again) == text


def test_canonical_json_does_not_depend_on_the_order_of_names() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    one = canonical_json({"b": [Decimal("1.00"), moment], "a": (1, None)})
    assert one == canonical_json({"a": [1, None], "b": [Decimal("1.00"), moment]})
    assert one == '{"a":[1,null],"b":["1.00","2026-01-01T00:00:00.000000+00:00"]}'
