"""The demo: the whole pipeline against a fresh sandbox, twice, with the books compared afterwards."""
