"""The command line: `mcpbridge demo | serve | tools | call`."""
