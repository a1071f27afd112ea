"""M3 itself: master data, batches, AP ledger, bank statements, and the MI programs that reach them."""
