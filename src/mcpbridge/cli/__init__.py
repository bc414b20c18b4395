"""The command line: `mcpbridge demo | serve | tools | call`."""

from __future__ import annotations

from mcpbridge.cli.app import main as main
