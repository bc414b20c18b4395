"""`mcpbridge schema`: the JSON Schema of a configuration file."""

from __future__ import annotations

import json
import sys

from mcpbridge.cli.outcome import DONE
from mcpbridge.config.schema import configuration_schema


async def schema() -> int:
    """Prints it, indented."""
    sys.stdout.write(json.dumps(configuration_schema(), indent=2) + "\n")
    return DONE
