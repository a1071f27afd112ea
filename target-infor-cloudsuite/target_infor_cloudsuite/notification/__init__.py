"""Telling people: one digest a run of what is new, through whatever channels Apprise knows."""
