"""The figures of a report for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.ledger.types import utc_text


def as_json(value: Any, currency: str = "") -> Any:
    """Any figures as JSON values: amounts as text with the decimals of their currency, moments in UTC."""
    if is_dataclass(value):
        currency = getattr(value, "currency", currency)
        return {each.name: as_json(getattr(value, each.name), currency) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(each, currency) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each, currency) for each in value]
    if isinstance(value, Decimal):
        return plain_amount(value, currency)
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value
