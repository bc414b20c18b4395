"""A gateway in a file: what it serves, where its store and its keys are."""
