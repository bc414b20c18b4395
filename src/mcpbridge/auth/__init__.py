"""Strategies for upstreams; each is an `httpx2.Auth` and works in any httpx2 client."""
