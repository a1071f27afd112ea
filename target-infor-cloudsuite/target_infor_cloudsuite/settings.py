"""The settings of target, mapper and commands: one schema, one reading, errors that name the setting."""

from __future__ import annotations

import json
import operator
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.policy import SETTINGS_SCHEMA as POLICY_SCHEMA
from stampli_infor_transforms.policy import Policy, SettingsError

from target_infor_cloudsuite.confidential import hide, password_of
from target_infor_cloudsuite.ledger.seal import AuditKeys
from target_infor_cloudsuite.notification.settings import SETTINGS_SCHEMA as NOTIFY_SCHEMA
from target_infor_cloudsuite.notification.settings import NotifySettings
from target_infor_cloudsuite.secrets import SecretError, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: How settings reach the commands when there is no --config: Meltano exports them under this prefix.
ENVIRONMENT_PREFIX = "TARGET_INFOR_CLOUDSUITE_"
AP_PROGRAMS = ("auto", "APS100MI", "APS450MI")
PAYMENT_PROGRAMS = ("auto", "ABS100MI", "GLS840MI", "off")
NEAR_DUPLICATES = ("hold", "note", "off")
FAIL_ON = ("never", "failed", "review")
MAPPING_APPROVAL = ("off", "required")

_PROPERTIES: dict[str, dict[str, Any]] = {
    "ionapi_path": {
        "type": "string",
        "description": "The .ionapi file of a backend service, downloaded from ION API > Authorized Apps.",
    },
    "ionapi": {
        "type": "string",
        "secret": True,
        "description": "The .ionapi file's JSON itself, in place of ionapi_path; may be an enc: token.",
    },
    "cono": {
        "type": "integer",
        "description": "M3 company; for documents that name no company, or while companies.csv is empty.",
    },
    "divi": {"type": "string", "description": "M3 division that goes with cono.", "default": ""},
    "ledger_url": {
        "type": "string",
        "secret": True,
        "description": "The ledger's database as SQLAlchemy URL; secret because it may hold a password.",
        "default": "sqlite:///ledger/ledger.db",
    },
    "output_dir": {
        "type": "string",
        "description": "Where audit/, runs/ and report.html are written.",
        "default": "output",
    },
    "audit_key": {
        "type": "string",
        "secret": True,
        "description": "Seals every event (HMAC), so that nobody can rewrite ledger and files unseen; "
        "several, separated by commas: the first seals, each checks.",
    },
    "audit_anchor": {
        "type": "string",
        "description": "A second place for the chain's end, written by every run: a directory, or an fsspec "
        "URL such as s3://bucket/folder.",
    },
    "ap_program": {
        "type": "string",
        "enum": list(AP_PROGRAMS),
        "description": "AP program; auto takes APS100MI where the tenant exposes all of it, "
        "else APS450MI + APS455MI.",
        "default": "auto",
    },
    "payment_program": {
        "type": "string",
        "enum": list(PAYMENT_PROGRAMS),
        "description": "Payments; auto takes ABS100MI where ValidateStatmt and a bank are set up, else off.",
        "default": "auto",
    },
    "journal_interface": {
        "type": "string",
        "description": "GLS840MI: the interface (INTN) under which M3 takes journals; "
        "its lines are record I1.",
    },
    "journal_accounts": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "GLS840MI: payables and each BSID to its account, or to AIT1/../AIT7.",
    },
    "requests_per_minute": {
        "type": "integer",
        "minimum": 1,
        "description": "Requests a minute that the gateway's policy grants, tokens included; all that work "
        "on one ledger share them. What 429s teach is kept to, too.",
        "default": 100,
    },
    "max_in_flight": {
        "type": "integer",
        "minimum": 1,
        "maximum": 32,
        "description": "Requests under way at once.",
        "default": 4,
    },
    "max_transactions_per_request": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "description": "MI transactions in one bulk request; also bounded by 30,000 bytes.",
        "default": 50,
    },
    "request_timeout_seconds": {
        "type": "number",
        "exclusiveMinimum": 0,
        "description": "How long an answer is waited for; after that a write is in doubt.",
        "default": 60,
    },
    "in_doubt_settle_seconds": {
        "type": "number",
        "minimum": 0,
        "description": "How long M3 may still work on a write whose answer was lost; "
        "it is asked only after that.",
        "default": 180,
    },
    "claim_lease_seconds": {
        "type": "integer",
        "minimum": 10,
        "description": "For how long a worker holds its documents unless it renews; "
        "others take over after that.",
        "default": 120,
    },
    "reference_max_age_minutes": {
        "type": "integer",
        "minimum": 0,
        "description": "How old M3's reference data (suppliers, accounts, VAT codes, programs) may be.",
        "default": 60,
    },
    "near_duplicates": {
        "type": "string",
        "enum": list(NEAR_DUPLICATES),
        "description": "Same supplier and nearly the same number: hold for review, only note it, or off.",
        "default": "hold",
    },
    "mapping_approval": {
        "type": "string",
        "enum": list(MAPPING_APPROVAL),
        "description": "With required, changed crosswalks are used only when two people have approved them "
        "(mapping approve); until then the last approved ones are.",
        "default": "off",
    },
    "dry_run": {
        "type": "boolean",
        "description": "Write nothing to M3, change no status, emit no STATE; "
        "show exactly what would be sent.",
        "default": False,
    },
    "fail_on": {
        "type": "string",
        "enum": list(FAIL_ON),
        "description": "Exit with 3, after STATE, when the run left something failed, rejected or in doubt "
        "(failed), or also in review (review), or never.",
        "default": "failed",
    },
}

_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "a text"),
    "integer": (int, "a whole number"),
    "number": ((int, float, Decimal), "a number"),
    "boolean": (bool, "true or false"),
    "object": (dict, "an object of texts"),
}
_LIMITS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("at least", operator.ge),
    "exclusiveMinimum": ("more than", operator.gt),
    "maximum": ("at most", operator.le),
}

CONFIG_JSONSCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {**_PROPERTIES, **NOTIFY_SCHEMA, **POLICY_SCHEMA},
}
#: What the mapper needs of them, and where it reads reference data without asking M3.
MAPPER_JSONSCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reference_path": {
            "type": "string",
            "description": "A snapshot written by `cloudsuite-ap reference export`; "
            "with it CloudSuite is not asked.",
        },
        **{
            name: _PROPERTIES[name]
            for name in (
                "ionapi_path",
                "ionapi",
                "cono",
                "divi",
                "ledger_url",
                "requests_per_minute",
                "max_in_flight",
                "max_transactions_per_request",
                "request_timeout_seconds",
                "reference_max_age_minutes",
                "mapping_approval",
            )
        },
        **POLICY_SCHEMA,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, checked. Durations are in the unit of their name; ``ionapi`` is plain and never shown."""

    values: Mapping[str, Any]
    policy: Policy
    ionapi_path: Path | None
    ionapi: str | None
    crosswalk_dir: Path
    ledger_url: str
    audit_keys: AuditKeys
    notify: NotifySettings
    output_dir: Path

    def __getitem__(self, name: str) -> Any:
        """A setting by its name, its default where it was not given."""
        given = self.values.get(name)
        return CONFIG_JSONSCHEMA["properties"][name].get("default") if given is None else given

    def __repr__(self) -> str:
        return f"Settings({sorted(self.values)})"


def read_settings(config: Mapping[str, Any], *, need_ionapi: bool = True) -> Settings:
    """Check a configuration.

    Raises:
        SettingsError: A setting is missing or cannot be used; the text names it.
    """
    values = {name: value for name, value in config.items() if value not in (None, "")}
    for name in ("gl_string", "dimensions", "journal_accounts"):
        if isinstance(values.get(name), str):
            values[name] = _json(name, values[name])
    for name in ("supplier_match", "approved_statuses", "paid_statuses", "notify_on"):
        if isinstance(values.get(name), str):
            values[name] = _json(name, values[name])
    for name, schema in (_PROPERTIES | NOTIFY_SCHEMA).items():
        if name in values and schema["type"] != "array":
            _check(name, values[name], schema)
    if need_ionapi and not values.get("ionapi_path") and not values.get("ionapi"):
        raise SettingsError(
            "ionapi_path", "is missing: give the path of the .ionapi file (or its JSON as ionapi)."
        )
    ledger_url = _secret(values, "ledger_url") or _PROPERTIES["ledger_url"]["default"]
    notify = NotifySettings.from_settings(values, _secret(values, "notify_urls"))
    hide(password_of(ledger_url), *notify.urls, *map(password_of, notify.urls))
    path = values.get("ionapi_path")
    return Settings(
        values=values,
        policy=Policy.from_settings(values),
        ionapi_path=Path(path) if path else None,
        ionapi=_secret(values, "ionapi"),
        crosswalk_dir=Path(values.get("crosswalk_dir") or POLICY_SCHEMA["crosswalk_dir"]["default"]),
        ledger_url=ledger_url,
        audit_keys=_audit_keys(values),
        notify=notify,
        output_dir=Path(values.get("output_dir") or _PROPERTIES["output_dir"]["default"]),
    )


def _audit_keys(values: Mapping[str, Any]) -> AuditKeys:
    text = _secret(values, "audit_key") or ""
    hide(*text.replace(",", " ").split())
    try:
        return AuditKeys.parse(text)
    except ValueError as fault:
        raise SettingsError(
            "audit_key", f"cannot be used: {fault}. `cloudsuite-ap secrets new-key` makes one."
        ) from None


def _check(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    if schema.get("secret") and isinstance(value, dict):
        return  # the JSON itself, not yet a text
    if "enum" in schema:
        if value not in schema["enum"]:
            raise SettingsError(name, f"is '{value}'; valid are {', '.join(schema['enum'])}.")
        return
    if name == "cono":
        return  # the policy reads it, in its own words
    kind, words = _KINDS[schema["type"]]
    fits = isinstance(value, kind) and (isinstance(value, bool) is (schema["type"] == "boolean"))
    within = (holds(value, schema[limit]) for limit, (_, holds) in _LIMITS.items() if limit in schema)
    if fits and all(within):
        return
    shown = "" if schema.get("secret") else f"is {json.dumps(value, default=str)}, but "
    limits = [f"{text} {schema[limit]}" for limit, (text, _) in _LIMITS.items() if limit in schema]
    raise SettingsError(name, f"{shown}has to be {words}{', ' if limits else ''}{' and '.join(limits)}.")


def config_from_environment() -> dict[str, Any]:
    """The configuration as Meltano exports it to a plugin's commands."""
    config: dict[str, Any] = {}
    for name, schema in CONFIG_JSONSCHEMA["properties"].items():
        text = os.environ.get(ENVIRONMENT_PREFIX + name.upper())
        if text not in (None, ""):
            config[name] = _typed(name, str(text), schema.get("type"))
    return config


def _typed(name: str, text: str, kind: str | None) -> Any:
    if kind == "integer":
        try:
            return int(text)
        except ValueError:
            raise SettingsError(name, f"is '{text}', but has to be a whole number.") from None
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            raise SettingsError(name, f"is '{text}', but has to be a number of seconds.") from None
    if kind == "boolean":
        known = {"true": True, "1": True, "yes": True, "on": True}
        known |= {"false": False, "0": False, "no": False, "off": False}
        if text.strip().lower() not in known:
            raise SettingsError(name, f"is '{text}', but has to be true or false.")
        return known[text.strip().lower()]
    return _json(name, text) if kind in {"object", "array"} else text


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsError(name, "is no valid JSON.") from None


def _secret(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        value = json.dumps(value)
    try:
        return reveal(value, setting=name)
    except SecretError as fault:
        raise SettingsError(name, f"cannot be opened. {fault}") from fault
