"""Approvals that outlive a restart and that every replica sees: `Approvals(store)`."""
