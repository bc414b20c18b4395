"""What all models of a record have in common."""

from __future__ import annotations

from pydantic import ConfigDict

STRICT = ConfigDict(
    extra="forbid",
    frozen=True,
    hide_input_in_errors=True,
    arbitrary_types_allowed=True,
    validate_by_name=True,
    validate_by_alias=True,
    serialize_by_alias=True,
)
"""What all models of a record have: unknown fields are refused, and no error shows what was given."""
