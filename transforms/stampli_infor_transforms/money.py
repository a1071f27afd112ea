"""Money: the decimals of a currency, and splitting an amount so that nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from iso4217 import Currency

if TYPE_CHECKING:
    from collections.abc import Sequence

_USUAL_DECIMALS: Final = 2


@cache
def decimals_of(currency: str) -> int | None:
    """Return how many decimals a currency has, None where ISO 4217 knows no such money (gold has none)."""
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        return None
    return int(exponent) if exponent is not None else None


def decimals_in(amount: Decimal) -> int:
    """Return how many decimals an amount needs; zeros at its end do not count."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    digits = format(amount, "f").partition(".")[2].rstrip("0")
    return len(digits)


def split(amount: Decimal, percents: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount by percentages that add up to 100, to the cent, by largest remainder.

    The parts add up to the amount exactly; equal remainders favour the earlier part.
    """
    return split_by_weight(amount, percents, currency)


def split_by_weight(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount in proportion to weights that are not negative and not all 0, as `split` does."""
    decimals = decimals_of(currency)
    unit = Decimal(1).scaleb(-max(decimals if decimals is not None else _USUAL_DECIMALS, decimals_in(amount)))
    units = int((abs(amount) / unit).to_integral_exact())
    # Whole numbers from here on: weights are scaled until they have no decimals.
    scale = 10 ** max((decimals_in(weight) for weight in weights), default=0)
    whole_weights = [int(weight * scale) for weight in weights]
    total = sum(whole_weights)
    shares = [divmod(units * weight, total) for weight in whole_weights]
    left = units - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda at: -shares[at][1])
    extra = set(by_remainder[:left])
    sign = -1 if amount < 0 else 1
    return [sign * (whole + (at in extra)) * unit for at, (whole, _) in enumerate(shares)]
