"""Serves one source over MCP, in both protocol eras: `to_server` over stdio and in memory, `to_asgi` over HTTP."""
