"""The table of everything this M3 can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3 import basics, invoices, journals, ledger, posting, repository, statements

if TYPE_CHECKING:
    from stampli_infor_sandbox.m3.engine import Handler

HANDLERS: dict[tuple[str, str], Handler] = {
    **basics.TRANSACTIONS,
    **invoices.TRANSACTIONS,
    **journals.TRANSACTIONS,
    **ledger.TRANSACTIONS,
    **posting.TRANSACTIONS,
    **repository.TRANSACTIONS,
    **statements.TRANSACTIONS,
}
