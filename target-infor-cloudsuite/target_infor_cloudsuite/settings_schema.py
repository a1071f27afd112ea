"""The schema of the settings of target, mapper and commands; the defaults and limits stand only here."""

from __future__ import annotations

from typing import Any

from stampli_infor_transforms.policy import SETTINGS_SCHEMA as POLICY_SCHEMA

from target_infor_cloudsuite.notification.settings import SETTINGS_SCHEMA as NOTIFY_SCHEMA

#: The target's own settings, without those of notification and mapping.

OWN_PROPERTIES: dict[str, dict[str, Any]] = {
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
        "enum": ["auto", "APS100MI", "APS450MI"],
        "description": "AP program; auto takes APS100MI where the tenant exposes all of it, "
        "else APS450MI + APS455MI.",
        "default": "auto",
    },
    "payment_program": {
        "type": "string",
        "enum": ["auto", "ABS100MI", "GLS840MI", "off"],
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
        "enum": ["hold", "note", "off"],
        "description": "Same supplier and nearly the same number: hold for review, only note it, or off.",
        "default": "hold",
    },
    "mapping_approval": {
        "type": "string",
        "enum": ["off", "required"],
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
        "enum": ["never", "failed", "review"],
        "description": "Exit with 3, after STATE, when the run left something failed, rejected or in doubt "
        "(failed), or also in review (review), or never.",
        "default": "failed",
    },
}

CONFIG_JSONSCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {**OWN_PROPERTIES, **NOTIFY_SCHEMA, **POLICY_SCHEMA},
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
            name: OWN_PROPERTIES[name]
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
