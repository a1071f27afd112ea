"""What can be set, as JSON schema: shown by ``--about``."""

from __future__ import annotations

from typing import Any

from tap_stampli_sftp.fields import FILE_STREAMS

TEMPLATE_PROPERTIES: dict[str, Any] = {
    "enabled": {"type": "boolean", "description": "Read files for this stream (default true)."},
    "pattern": {
        "type": "string",
        "description": "Shell pattern of the file names, matched whole, case-insensitively "
        "(default `<stream>_*`). `*` also stands for the ending.",
    },
    "format": {
        "type": "string",
        "description": "`auto` (default; by the file's ending: .csv, .tsv, .txt, .xml), `csv`, `tsv`, `txt` "
        "or `xml`. Further endings .gz, .zip, .pgp and .gpg are unpacked in any case.",
    },
    "layout": {
        "type": "string",
        "description": "`flat` (default): one row a line, header columns repeated or blank. `typed`: the "
        "first column is Header, Line, Split or Tax, each with columns of its own, named by its first row.",
    },
    "delimiter": {
        "type": "string",
        "description": "One character. Default: comma for csv, tab for tsv; for txt a tab if the header "
        "has one, else comma.",
    },
    "encoding": {
        "type": "string",
        "description": "Text encoding, strict (default `utf-8-sig`: UTF-8 with or without a byte order "
        "mark).",
    },
    "columns": {
        "type": "object",
        "description": "Field, or column name of the sample template -> column name in the file. Wins "
        "over all aliases; "
        "one file column may feed two fields.",
    },
    "date_format": {
        "type": ["string", "array"],
        "description": "strptime format, or a list of them of which exactly one reading must result "
        "(default: ISO).",
    },
    "decimal_mark": {
        "type": "string",
        "description": "`.` or `,`. Without it only amounts with one possible reading are accepted.",
    },
    "skip_rows": {"type": "integer", "description": "Physical lines above the header row (default 0)."},
    "footer_pattern": {
        "type": "string",
        "description": "Regular expression searched in a row's cells joined by the delimiter; a match "
        "is a totals row, no data.",
    },
    "record_path": {
        "type": "string",
        "description": "XML: the elements down to a document, such as `Invoices/Invoice`; `*` is any one.",
    },
    "line_path": {
        "type": "string",
        "description": "XML: the elements from a document down to a line, such as `Lines/Line`.",
    },
    "constants": {
        "type": "object",
        "description": "Field or sample column name -> value, used wherever the file gives none.",
    },
    "null_values": {
        "type": "array",
        "description": "Texts that mean no value (trimmed, case-insensitive), such as `N/A`.",
    },
    "total_from_lines": {
        "type": "boolean",
        "description": "Where the document has no total, it is the sum of its lines and their tax "
        "(default false).",
    },
    "round_excess_decimals": {
        "type": "boolean",
        "description": "Accept float noise (a difference under 0.000001) beyond the currency's "
        "decimals; the raw text is kept in `extra`.",
    },
}


def _setting(kind: str | list[str], description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


_TEXT = ["string", "null"]

SETTINGS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["host", "username"],
    "properties": {
        "host": _setting("string", "Name or address of the SFTP server.", title="Host"),
        "port": _setting("integer", "Port of the SFTP server.", default=22, title="Port"),
        "username": _setting("string", "User to log in as.", title="User"),
        "password": _setting(_TEXT, "Password; may be `enc:<token>`.", secret=True, title="Password"),
        "private_key": _setting(
            _TEXT,
            "Private key, PEM text (Ed25519, ECDSA, RSA); may be `enc:<token>`.",
            secret=True,
            title="Private key",
        ),
        "private_key_path": _setting(
            _TEXT, "File with the private key, instead of `private_key`.", title="Private key file"
        ),
        "private_key_passphrase": _setting(
            _TEXT, "Passphrase of the private key; may be `enc:<token>`.", secret=True, title="Passphrase"
        ),
        "host_key": _setting(
            ["string", "array", "null"],
            "The server's pinned host key: a `SHA256:..` fingerprint or a known_hosts line, or a list "
            "of them.",
            items={"type": "string"},
            title="Host key",
        ),
        "known_hosts_path": _setting(
            _TEXT,
            "A known_hosts file with the server's key, instead of `host_key`.",
            title="known_hosts file",
        ),
        "insecure_accept_any_host_key": _setting(
            "boolean",
            "Accept whatever host key the server shows. Anyone on the way can then read the password "
            "and the files.",
            default=False,
            title="Accept any host key (insecure)",
        ),
        "extra_algorithms": _setting(
            ["string", "array", "null"],
            "SSH algorithms that an old server needs besides today's, by their OpenSSH names, a list or "
            "separated by commas: `aes128-cbc,hmac-sha1`.",
            items={"type": "string"},
            title="Algorithms for old servers",
        ),
        "timeout_seconds": _setting(
            "integer",
            "Longest wait for a connection and for any one answer of the server.",
            default=60,
            minimum=1,
            title="Timeout",
        ),
        "keepalive_seconds": _setting(
            "integer",
            "Pause between keepalives, which keep an idle connection open in firewalls. 0: none.",
            default=15,
            minimum=0,
            title="Keepalive",
        ),
        "outbound_path": _setting(
            "string", "Directory with Stampli's export files.", default="/outbound", title="Directory"
        ),
        "templates": _setting(
            ["object", "string", "null"],
            "How the files look: stream -> overrides of the sample template. JSON text is accepted.",
            title="Templates",
            properties={
                str(stream): {
                    "type": "object",
                    "description": f"Overrides of the sample template for {stream}.",
                    "properties": TEMPLATE_PROPERTIES,
                }
                for stream in FILE_STREAMS
            },
        ),
        "min_age_seconds": _setting(
            "integer",
            "A file is taken when it was last changed at least this long ago, or when an earlier run "
            "saw it unchanged "
            "at least this long ago.",
            default=60,
            minimum=0,
            title="Minimum age",
        ),
        "done_file_suffix": _setting(
            _TEXT,
            "Read a file only when a file of its name plus this suffix (such as `.done`) stands beside it.",
            title="Done file",
        ),
        "start_date": _setting(
            _TEXT,
            "Files last changed before this ISO date or date-time (UTC) are never read.",
            title="Start date",
        ),
        "lookback_days": _setting(
            "integer",
            "Files this young keep a full entry (with content hash) in the STATE, some 8,000 of them at "
            "most; older ones 8 bytes.",
            default=30,
            minimum=0,
            title="Look back",
        ),
        "on_bad_row": _setting(
            "string",
            "`quarantine`: a bad row's document goes to the stream rejected_rows. `fail`: the run stops "
            "at it, "
            "before anything of that file is sent.",
            enum=["quarantine", "fail"],
            default="quarantine",
            title="On a bad row",
        ),
        "max_file_bytes": _setting(
            "integer",
            "Largest file accepted, as it lies on the server and unpacked.",
            default=4 * 1024**3,
            minimum=1,
            title="Largest file",
        ),
        "max_field_bytes": _setting(
            "integer",
            "Largest field accepted, counted in decoded characters; a physical line may have 16 times "
            "as many.",
            default=1024**2,
            minimum=1,
            title="Largest field",
        ),
        "max_unpacked_ratio": _setting(
            "integer",
            "A packed file may unpack to at most this many times its size (the first MiB is free).",
            default=200,
            minimum=1,
            title="Largest unpacking ratio",
        ),
        "pgp_private_key": _setting(
            _TEXT,
            "OpenPGP private key for .pgp and .gpg files, armored text, with the signers' public keys behind "
            "it; may be `enc:<token>`.",
            secret=True,
            title="PGP private key",
        ),
        "pgp_private_key_path": _setting(
            _TEXT, "File with that key, instead of `pgp_private_key`.", title="PGP private key file"
        ),
        "pgp_passphrase": _setting(
            _TEXT, "Passphrase of the PGP key; may be `enc:<token>`.", secret=True, title="PGP passphrase"
        ),
        "pgp_signer_fingerprint": _setting(
            _TEXT,
            "Fingerprint of the key that must have signed each PGP file, or several separated by commas; "
            "without it signatures are not checked.",
            title="PGP signer",
        ),
        "spool_dir": _setting(
            _TEXT,
            "Directory for the files being read (private, deleted at once); the system's by default.",
            title="Spool directory",
        ),
    },
}
