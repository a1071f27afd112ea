"""The proof of exactly once: documents, faults, real kills, and a judge that knows nothing of the target."""
