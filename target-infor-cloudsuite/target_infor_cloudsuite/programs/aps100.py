"""APS100MI: the program that posts a supplier invoice once its lines are complete. Its contract is assumed.

It stands in no published MI repository; it is taken to be APS450MI's with AIT1..AIT7 and VTXT on the line.
"""

from __future__ import annotations

from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram

APS100MI = InvoiceBatchProgram(name="APS100MI")
