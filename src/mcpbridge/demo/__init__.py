"""The demonstration: a small bookshop with a REST API, and a walk through what mcpbridge makes of it.

`shop` is the API, `bookshop.yaml` its description, `local` runs it on a free loopback port, `show` is the walk.
"""
