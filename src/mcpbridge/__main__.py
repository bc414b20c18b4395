"""`python -m mcpbridge` is the command `mcpbridge`."""

from __future__ import annotations

from mcpbridge.cli import main

if __name__ == "__main__":
    main()
