"""APS450MI: invoice batches, which APS455MI/ValidByBatchNo validates and posts to the AP ledger."""

from __future__ import annotations

from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram

APS450MI = InvoiceBatchProgram(name="APS450MI", commit_program="APS455MI")
