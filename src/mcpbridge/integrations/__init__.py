"""Integrations as records: what people create and edit. What runs is built from them, once per revision."""
