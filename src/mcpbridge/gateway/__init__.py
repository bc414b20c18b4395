"""A gateway: integrations as they run, their status, and how they are checked."""
