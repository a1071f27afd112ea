"""The settings of target, mapper and commands, read: errors that name the setting."""

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
from target_infor_cloudsuite.settings_schema import CONFIG_JSONSCHEMA, OWN_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: How settings reach the commands when there is no --config: Meltano exports them under this prefix.
ENVIRONMENT_PREFIX = "TARGET_INFOR_CLOUDSUITE_"
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
    for name, schema in (OWN_PROPERTIES | NOTIFY_SCHEMA).items():
        if name in values and schema["type"] != "array":
            _check(name, values[name], schema)
    if need_ionapi and not values.get("ionapi_path") and not values.get("ionapi"):
        raise SettingsError(
            "ionapi_path", "is missing: give the path of the .ionapi file (or its JSON as ionapi)."
        )
    ledger_url = _secret(values, "ledger_url") or OWN_PROPERTIES["ledger_url"]["default"]
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
        output_dir=Path(values.get("output_dir") or OWN_PROPERTIES["output_dir"]["default"]),
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
