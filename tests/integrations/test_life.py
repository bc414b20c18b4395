"""The example of a record's whole life, on Postgres; `tests/test_examples.py` runs it on SQLite."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/integration_life.py"


@pytest.mark.req("INT-01", "INT-05", "VAULT-02")
async def test_the_example_runs_on_postgres(postgres_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    said, failed = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0, failed.decode()
    assert "left: []" in said.decode()
