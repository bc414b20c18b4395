"""OpenAPI descriptions to tools, and calls to HTTP messages: pure functions, no client, clock or file.

Reading goes `document` → `operations` → `tool`; calling goes `request` → `response`. `operation` holds the values
between the two. Reading imports neither the HTTP client nor MCP.
"""
