"""The JSON Schema of a configuration file, for editors."""

from __future__ import annotations

from typing import Any, get_args

from mcpbridge.config.configuration import PolicyName
from mcpbridge.integrations.record import integration_schema

_TEXTS = {"type": "array", "items": {"type": "string"}}


def configuration_schema() -> dict[str, Any]:
    """The schema (2020-12) of a file that `mcpbridge serve` takes. It knows every kind of auth that is registered."""
    record = integration_schema()
    definitions = record.pop("$defs", {})
    definitions["Integration"] = record
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mcpbridge configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "vault": {
                "type": "object",
                "additionalProperties": False,
                "description": "References to keys, newest first: env:NAME, file:/path, keyring:service/user.",
                "properties": {"keys": _TEXTS},
            },
            "store": {"type": "string", "description": "sqlite:///FILE or postgresql://…"},
            "policy": {"enum": [*get_args(PolicyName)], "description": "What waits for a person's yes."},
            "allowed": _TEXTS
            | {"description": "Hosts and networks, besides public ones, where records that people made may lead."},
            "integrations": {"type": "array", "items": {"$ref": "#/$defs/Integration"}},
        },
        "$defs": definitions,
    }
