"""Stored secrets: each sealed under a data key of its own, which is wrapped by a key that the database never sees."""
