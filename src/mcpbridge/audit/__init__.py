"""Where audited events are written (a store, JSON lines, a host's callable), and whether they still stand."""
