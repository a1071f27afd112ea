"""``cloudsuite-ap``: the commands for the people who operate the pipeline."""

from target_infor_cloudsuite.cli.main import main

__all__ = ["main"]
