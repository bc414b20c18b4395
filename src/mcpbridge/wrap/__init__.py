"""The wrappers: each puts one behaviour around a source."""
