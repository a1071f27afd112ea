"""Runs the command line as a module: the demo starts its sandbox with the very interpreter it runs in."""

from __future__ import annotations

from stampli_infor_sandbox.cli import main

if __name__ == "__main__":
    main()
