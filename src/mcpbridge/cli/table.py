"""Tools as a table for a person; the one module of the command line that needs rich."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcpbridge.cli.outcome import one_line
from mcpbridge.tools import Tool


def tool_table(listed: Sequence[Tool], console: Console | None = None) -> None:
    """Prints name, access and first line of each tool; names are never cut."""
    console = console or Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("tool", no_wrap=True, overflow="fold")
    table.add_column("access")
    table.add_column("what it does", no_wrap=True, overflow="ellipsis", ratio=1)
    for tool in listed:
        style = "yellow" if tool.access == "write" else "green"
        first = one_line(tool.description.partition("\n")[0])
        table.add_row(Text(tool.name), Text(tool.access, style=style), Text(first))
    console.print(table)
