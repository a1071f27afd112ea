"""The settings of this stage: what a customer decides that no table of codes can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

AccountingDate = Literal["posting", "invoice", "today"]
PoInvoices = Literal["post", "review"]
LineCompanies = Literal["split", "review"]
DIMENSIONS: Final = ("department", "cost_center", "location", "project")
AITS: Final = ("ait1", "ait2", "ait3", "ait4", "ait5", "ait6", "ait7")
NOT_SENT: Final = "none"
_MATCHES: Final = ("crosswalk", "external_id", "name")
_APPROVED: Final = ("approved", "exported", "processed", "paid")
_PAID: Final = ("paid", "processed", "cleared", "settled", "completed")
_LAST_CONO: Final = 999
_PO_INVOICES: Final = ("post", "review")
_LINE_COMPANIES: Final = ("split", "review")
_DATES: Final = ("posting", "invoice", "today")

SETTINGS_SCHEMA: Final[dict[str, dict[str, Any]]] = {
    "crosswalk_dir": {
        "type": "string",
        "description": "Directory of the crosswalk CSV files.",
        "default": "transforms/crosswalks",
    },
    "supplier_match": {
        "type": "array",
        "items": {"type": "string", "enum": list(_MATCHES)},
        "description": "How a vendor becomes an M3 supplier, tried in this order.",
        "default": list(_MATCHES),
    },
    "name_needs_confirmation": {
        "type": "boolean",
        "description": "Hold documents whose supplier was found by name until a person confirms the match.",
        "default": False,
    },
    "accounting_date": {
        "type": "string",
        "enum": list(_DATES),
        "description": "Where it comes from: GL posting date (blank: invoice date), invoice date, or today.",
        "default": "posting",
    },
    "po_invoices": {
        "type": "string",
        "enum": list(_PO_INVOICES),
        "description": "Invoices for a purchase order: post as an expense, or hold each for review.",
        "default": "post",
    },
    "line_companies": {
        "type": "string",
        "enum": list(_LINE_COMPANIES),
        "description": "Lines of another company: make a document for each, or hold the invoice for review.",
        "default": "split",
    },
    "default_tax_code": {
        "type": "string",
        "description": "M3 VAT code for tax that comes without a code; blank: the supplier's own.",
        "default": "",
    },
    "payment_method": {
        "type": "string",
        "description": "PYME of invoices that Stampli pays: one that M3's payment proposals leave out.",
        "default": "",
    },
    "approved_statuses": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Statuses of invoices that may be posted, whatever the case; blank always may.",
        "default": list(_APPROVED),
    },
    "paid_statuses": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Statuses of payments that may be posted, whatever the case; blank always may.",
        "default": list(_PAID),
    },
    "gl_string": {
        "type": "object",
        "properties": {
            "separator": {"type": "string", "minLength": 1},
            "segments": {"type": "array", "items": {"type": "string", "enum": ["", *AITS]}, "minItems": 1},
        },
        "required": ["separator", "segments"],
        "additionalProperties": False,
        "description": (
            "How a GL code without a row in gl_accounts.csv is cut: the separator, and which dimension each "
            "segment is; '' ignores a segment."
        ),
    },
    "dimensions": {
        "type": "object",
        "properties": {name: {"type": "string", "enum": [*AITS[1:], NOT_SENT]} for name in DIMENSIONS},
        "additionalProperties": False,
        "description": "M3 dimension of codes that dimensions.csv does not map; 'none' leaves them out.",
        "default": {},
    },
}
"""JSON-schema properties of the settings, for the --about of whoever runs this stage."""


class SettingsError(ValueError):
    """A setting that can't be used; `setting` is its name."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"Setting '{setting}' {problem}")
        self.setting = setting


@dataclass(frozen=True, slots=True)
class GlString:
    """How a GL code is cut into dimensions.

    Attributes:
        separator: text between segments.
        segments: ``ait1`` to ``ait7`` for each segment, '' for one that is ignored.
    """

    separator: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings, checked.

    Attributes:
        cono: M3 company for documents that name none; None where every document has to.
        divi: its division.
        supplier_match: ``crosswalk``, ``external_id``, ``name`` in the order tried.
        name_needs_confirmation: hold what was matched by name.
        accounting_date: where the accounting date comes from.
        po_invoices: post invoices for a purchase order, or hold them for review.
        line_companies: make one document for each company that lines name, or hold the invoice for review.
        default_tax_code: M3 VAT code, '' for none.
        payment_method: PYME, '' for the supplier's own.
        approved_statuses: of invoices.
        paid_statuses: of payments.
        gl_string: None where codes are not cut.
        dimensions: Stampli dimension to ``ait2``..``ait7`` or ``none``.
    """

    cono: int | None = None
    divi: str = ""
    supplier_match: tuple[str, ...] = _MATCHES
    name_needs_confirmation: bool = False
    accounting_date: AccountingDate = "posting"
    po_invoices: PoInvoices = "post"
    line_companies: LineCompanies = "split"
    default_tax_code: str = ""
    payment_method: str = ""
    approved_statuses: tuple[str, ...] = _APPROVED
    paid_statuses: tuple[str, ...] = _PAID
    gl_string: GlString | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Policy:
        """Read the settings of this stage; others are not looked at.

        Raises:
            SettingsError: one of them can't be used.
        """
        return cls(
            cono=_cono(settings.get("cono")),
            divi=_text(settings, "divi", 3),
            supplier_match=_matches(settings),
            name_needs_confirmation=_bool(settings, "name_needs_confirmation"),
            accounting_date=cast("AccountingDate", _choice(settings, "accounting_date", _DATES)),
            po_invoices=cast("PoInvoices", _choice(settings, "po_invoices", _PO_INVOICES)),
            line_companies=cast("LineCompanies", _choice(settings, "line_companies", _LINE_COMPANIES)),
            default_tax_code=_text(settings, "default_tax_code", 2),
            payment_method=_text(settings, "payment_method", 3),
            approved_statuses=_texts(settings, "approved_statuses", _APPROVED),
            paid_statuses=_texts(settings, "paid_statuses", _PAID),
            gl_string=_gl_string(settings.get("gl_string")),
            dimensions=_dimensions(settings.get("dimensions")),
        )


def _cono(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if not isinstance(value, bool) and str(value).strip().isascii() and str(value).strip().isdigit():
        number = int(str(value))
        if 1 <= number <= _LAST_CONO:
            return number
    raise SettingsError("cono", f"is '{value}', but an M3 company is a number from 1 to 999.")


def _text(settings: Mapping[str, Any], name: str, length: int) -> str:
    value = settings.get(name)
    if value is None:
        return ""
    text = str(value).strip()
    if isinstance(value, (str, int)) and not isinstance(value, bool) and len(text) <= length:
        return text
    raise SettingsError(name, f"is '{value}', but M3 takes a code of at most {length} characters there.")


def _bool(settings: Mapping[str, Any], name: str) -> bool:
    value = settings.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise SettingsError(name, f"is '{value}', but has to be true or false.")


def _choice(settings: Mapping[str, Any], name: str, valid: tuple[str, ...]) -> str:
    value = settings.get(name)
    if value is None:
        return valid[0]
    if value in valid:
        return str(value)
    raise SettingsError(name, f"is '{value}'; valid are {', '.join(valid)}.")


def _texts(settings: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = settings.get(name)
    if value is None:
        return default
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return tuple(each.strip() for each in value)
    raise SettingsError(name, "has to be a list of texts.")


def _matches(settings: Mapping[str, Any]) -> tuple[str, ...]:
    matches = _texts(settings, "supplier_match", _MATCHES)
    unknown = [each for each in matches if each not in _MATCHES]
    if unknown or not matches or len(set(matches)) < len(matches):
        raise SettingsError(
            "supplier_match", f"is {list(matches)}; it is a list of {', '.join(_MATCHES)}, each once."
        )
    return matches


def _gl_string(value: Any) -> GlString | None:
    if not value:
        return None
    separator = value.get("separator") if isinstance(value, dict) else None
    segments = value.get("segments") if isinstance(value, dict) else None
    if not isinstance(separator, str) or not separator or not isinstance(segments, (list, tuple)):
        raise SettingsError(
            "gl_string", "needs a 'separator' (text) and 'segments' (a list of ait1 to ait7)."
        )
    named = [each for each in segments if each != ""]
    if any(each not in AITS for each in named) or len(set(named)) < len(named) or "ait1" not in named:
        raise SettingsError(
            "gl_string", f"has segments {list(segments)}; each of ait1 to ait7 once at most, and ait1."
        )
    return GlString(separator, tuple(segments))


def _dimensions(value: Any) -> dict[str, str]:
    if not value:
        return {}
    if not isinstance(value, dict):
        raise SettingsError("dimensions", 'has to be an object such as {"cost_center": "ait3"}.')
    for name, ait in value.items():
        if name not in DIMENSIONS:
            raise SettingsError("dimensions", f"names '{name}'; valid are {', '.join(DIMENSIONS)}.")
        if ait not in (*AITS[1:], NOT_SENT, "", None):
            raise SettingsError("dimensions", f"maps {name} to '{ait}'; valid are ait2 to ait7, or none.")
    return {name: ait for name, ait in value.items() if ait}
