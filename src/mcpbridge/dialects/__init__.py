"""Tools as a model's provider takes them, the exact way back for arguments, and what was lost. Pure."""
