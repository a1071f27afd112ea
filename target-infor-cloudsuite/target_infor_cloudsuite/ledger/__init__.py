"""The ledger: every document, every attempt and every event, and the only SQL of the target.

Callers open a transaction with :meth:`Ledger.read` or :meth:`Ledger.write` and hand it to the functions of
the modules here; nothing outside this package builds a statement.
"""

from target_infor_cloudsuite.ledger.store import Ledger, LedgerError, Tx

__all__ = ["Ledger", "LedgerError", "Tx"]
