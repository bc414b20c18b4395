"""What changed between two sets of tools, and whom it breaks. See `tools` for sets, `schemas` for one schema."""
