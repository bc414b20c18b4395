"""Sources over what is not a REST API: MCP servers (`McpSource`) and a host's own functions (`Functions`)."""
