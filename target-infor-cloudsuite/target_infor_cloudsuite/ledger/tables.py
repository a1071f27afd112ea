"""The ledger's tables. A change here needs a migration in ``migrations/versions``; a test compares them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from target_infor_cloudsuite.ledger.types import Json, Money, Utc

metadata = MetaData()
#: Letter by letter what the partial index says, else SQLite does not use it.
HAS_NOTES = text("notes <> '[]'")

#: One row a document: an invoice or payment as it came, how it was mapped, and what became of it.
documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # invoice, payment; vendor, gl_account only for rejected rows
    Column("status", String(16), nullable=False),
    Column("step", String(16), nullable=False, default=""),
    Column("source_key", Text),
    Column("content_hash", String(64)),
    Column("delivery", String(64), nullable=False),  # hash of where it stood: the same delivery is one row
    Column("m3_key", Text),
    Column("folded_key", Text),
    Column("company", Text, nullable=False, default=""),
    Column("number", Text, nullable=False, default=""),
    Column("vendor", Text, nullable=False, default=""),
    Column("currency", String(16), nullable=False, default=""),
    Column("amount", Money),
    Column("document_date", String(10), nullable=False, default=""),
    Column("cono", Integer),
    Column("divi", String(3), nullable=False, default=""),
    Column("supplier", Text, nullable=False, default=""),
    Column("payee", Text, nullable=False, default=""),
    Column("raw", Json, nullable=False),
    Column("arrived_mapped", Boolean, nullable=False, default=False),
    Column("mapped", Json),
    Column("reasons", Json, nullable=False, default=list),
    Column("notes", Json, nullable=False, default=list),
    Column("accepted", Json, nullable=False, default=list),
    Column("crosswalk_version", String(64), nullable=False, default=""),
    Column("program", String(10), nullable=False, default=""),
    Column("cori", String(36), nullable=False, default=""),
    Column("inbn", String(10), nullable=False, default=""),
    Column("voucher", Text, nullable=False, default=""),
    Column("settled", Boolean, nullable=False, default=False),
    Column("statement_id", Integer, ForeignKey("statements.id")),
    Column("statement_line", Integer),
    # The document it repeats, or that took its place.
    Column("other_id", Integer, ForeignKey("documents.id")),
    # The document whose lines of another company it takes; NULL for a document by itself.
    Column("part_of", Integer, ForeignKey("documents.id", name="documents_part_of_fk")),
    Column("source_file", Text, nullable=False, default=""),
    Column("source_line", Integer, nullable=False, default=0),
    Column("source_mtime", String(40), nullable=False, default=""),
    Column("source_sha256", String(64), nullable=False, default=""),
    Column("claimed_by", Text, nullable=False, default=""),
    Column("claim_token", Integer, nullable=False, default=0),
    Column("claim_until", Utc),
    Column("run_id", String(32), nullable=False, default=""),  # the run that last changed it
    Column("resolved_run", String(32), nullable=False, default=""),
    Column("received_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    UniqueConstraint("delivery", name="documents_delivery"),
    Index("documents_work", "kind", "status", "id"),
    Index("documents_source_key", "source_key"),
    Index("documents_folded", "folded_key"),
    Index("documents_file", "source_file"),
    Index("documents_run", "run_id"),
    Index("documents_near", "cono", "supplier", "amount"),
    Index("documents_twin", "number", "amount"),
    Index("documents_cori", "cori"),
    Index("documents_claimed", "claimed_by"),
    Index("documents_part_of", "part_of"),
    # What the report counts and adds up stands whole in these: the rows are a hundred times larger.
    Index("documents_tally", "kind", "company", "status", "currency", "cono", "divi", "settled", "amount"),
    Index("documents_received", "kind", "received_at"),
    Index("documents_status_updated", "status", "updated_at"),
    Index("documents_crosswalks", "crosswalk_version", "updated_at"),
    # Partial in PostgreSQL as well, by its migration: to say so here loads that dialect into every process.
    Index("documents_noted", "id", sqlite_where=HAS_NOTES),
)

#: Both identities of a document, unique for ever: ``source:..`` and ``m3:..`` point at who holds them.
identities = Table(
    "identities",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("document_id", Integer, ForeignKey("documents.id"), nullable=False),
    Index("identities_document", "document_id"),
)

#: One row a transaction that was to be sent to M3, written before it leaves.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", Integer, ForeignKey("documents.id")),
    Column("statement_id", Integer, ForeignKey("statements.id")),
    Column("run_id", String(32), nullable=False),
    Column("worker", Text, nullable=False),
    Column("claim_token", Integer, nullable=False),
    Column("step", String(16), nullable=False),
    # Line or detail, counted from 1; 0: the document itself.
    Column("position", Integer, nullable=False, default=0),
    Column("program", String(10), nullable=False),
    Column("transaction_name", String(15), nullable=False),
    Column("cori", String(36), nullable=False, default=""),
    Column("request", Json, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Column("outcome", String(16), nullable=False, default="sent"),
    Column("answer", Json, nullable=False, default=dict),
    Column("looks", Integer, nullable=False, default=0),  # how often M3 was asked and did not have it
    Column("looked_at", Utc),
    Index("attempts_document", "document_id", "step"),
    Index("attempts_statement", "statement_id", "step"),
    Index("attempts_outcome", "outcome"),
)

#: One row a bank statement that carries payments into M3 (ABS100MI).
statements = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cono", Integer, nullable=False),
    Column("divi", String(3), nullable=False),
    Column("bank", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("number", String(15), nullable=False, default=""),
    Column("status", String(16), nullable=False),  # open, validating, validated, abandoned
    Column("statement_key", Json, nullable=False, default=dict),  # JBNO, JBDT, JBTM
    Column("note", Text, nullable=False, default=""),
    Column("run_id", String(32), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

#: What a payment settles, while M3 does not show it yet: two payments may not spend one open amount.
applications = Table(
    "applications",
    metadata,
    Column("document_id", Integer, ForeignKey("documents.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("invoice_key", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Index("applications_invoice", "invoice_key"),
)

#: One row an event: who did what, when, why, to what; each row's hash covers the row before it.
events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("document_id", Integer),
    Column("run_id", String(32), nullable=False, default=""),
    Column("details", Json, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False, server_default=""),  # which key sealed it; blank: none
    Index("events_document", "document_id"),
    Index("events_action", "action"),
)

#: The end of the chain, one row: writers take turns on it, so that several workers make one chain.
chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False, server_default=""),
    # The last event that a purge removed: the chain that is left begins behind it.
    Column("purged_seq", Integer, nullable=False, server_default="0"),
    Column("purged_hash", String(64), nullable=False, server_default="0" * 64),
)

#: How far the audit files of a folder reach: what is missing beyond that was not exported yet.
exports = Table(
    "exports",
    metadata,
    Column("folder", Text, primary_key=True),  # host:path
    Column("seq", Integer, nullable=False),
)

#: What people were notified of: once each, not in every run.
notices = Table(
    "notices",
    metadata,
    Column("subject", String(64), primary_key=True),  # document:12:failed, nothing_received, ..
    Column("noted_at", Utc, nullable=False),
)

#: One row a run of the target.
runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("worker", Text, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("outcome", Text, nullable=False, default=""),
    Column("requests", Integer, nullable=False, default=0),
    Column("throttled", Integer, nullable=False, default=0),
)

#: One row a file the tap read: its own count of what stood in it, made before anything was grouped.
files = Table(
    "files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("stream", String(32), nullable=False),
    Column("counts", Json, nullable=False),
    Column("received_at", Utc, nullable=False),
)

#: Stampli's own vendors and GL accounts, as last exported.
source_reference = Table(
    "source_reference",
    metadata,
    Column("stream", String(32), primary_key=True),
    Column("reference_key", Text, primary_key=True),
    Column("record", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

#: The request budget that the workers on one ledger share: one row, ``{}`` until somebody sends something.
#: SQLite keeps it in a file beside the ledger, and this table as it is (see ``pace``): taking a request's
#: place must not wait for a turn to write.
pace = Table(
    "pace",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", Text, nullable=False),
)

#: What was read from M3 and may be used again for a while: a row a scope (``company:100``, ``catalog:100``).
reference = Table(
    "reference",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("content", Json, nullable=False),
    Column("read_at", Utc, nullable=False),
)

#: One row a version of the crosswalks that a run used or a person proposed: its files, and who approved it.
mapping_versions = Table(
    "mapping_versions",
    metadata,
    Column("version", String(64), primary_key=True),
    Column("content", Json, nullable=False),
    Column("kept_at", Utc, nullable=False),
    Column("proposed_by", Text, nullable=False, default=""),
    Column("proposed_at", Utc),
    Column("approved_by", Text, nullable=False, default=""),
    Column("approved_at", Utc),
)

#: One row a vendor whose supplier, found by name, a person has confirmed.
confirmations = Table(
    "confirmations",
    metadata,
    Column("cono", Integer, primary_key=True, autoincrement=False),
    Column("vendor_key", Text, primary_key=True),
    Column("supplier", Text, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", Utc, nullable=False),
    Column("document_id", Integer),
)
