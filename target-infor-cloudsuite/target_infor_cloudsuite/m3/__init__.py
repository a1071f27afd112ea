"""M3 as MI programs show it: values, the catalogue of what a tenant exposes, and reference data."""
