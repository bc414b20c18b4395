"""What linting costs: imports, a thousand tools from the start of a process, and all tools of real descriptions."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from mcpbridge import Document, Tool, lint, read_operations, to_tool
from mcpbridge.linting.rule import Finding

LINT = """
import mcpbridge
found = mcpbridge.lint([mcpbridge.Tool(name="archive", description="Puts an order away.")])
assert [*found, *mcpbridge.diff([], [])] == [], found
"""

THOUSAND = """
import mcpbridge
text = {"type": "string", "description": "The name of one, as it was given.", "pattern": "^[a-z]+$"}
tools = [
    mcpbridge.Tool(name=f"archive_{n}", description=f"Puts order number {n} away for good.", input_schema={
        "type": "object", "properties": {f"part_{m}": {**text, "title": f"{n}.{m}"} for m in range(6)}, "required": []})
    for n in range(1000)
]
codes = {finding.code for finding in mcpbridge.lint(tools)}
assert codes == {"MB507", "MB602"}, codes
"""

HEAVY = (
    "mcp",
    "mcp_types",
    "httpx2",
    "pydantic",
    "jsonschema",
    "jsonschema_rs",
    "sqlalchemy",
    "openapi_core",
    "authlib",
)

FEW = ("github-api.json", "stripe-spec3.json", "kubernetes-swagger.json", "okta-management.yaml", "openai-api.yaml")


def _run(script: str) -> str:
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cpu(script: str) -> float:
    return float(_run(f"import time; begin = time.process_time()\n{script}\nprint(time.process_time() - begin)"))


@pytest.mark.req("TEST-05")
@pytest.mark.usefixtures("compiled")
def test_importing_lint_and_diff_costs_an_eighth_of_the_sdk() -> None:
    ours = theirs = float("inf")
    for run in range(20):  # whatever else the machine does makes single runs slower, never quicker
        ours, theirs = min(ours, _cpu(LINT)), min(theirs, _cpu("import mcp"))
        if run >= 2 and ours <= theirs / 8:
            break

    assert ours <= theirs / 8, f"{ours:.3f} s against {theirs:.3f} s"


@pytest.mark.req("TEST-05")
def test_lint_and_diff_load_neither_the_sdk_nor_a_client_nor_a_validator() -> None:
    assert _run(f"{LINT}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])") == ""


@pytest.mark.req("TEST-01")
def test_a_thousand_tools_are_linted_within_a_second_of_the_start() -> None:
    best = float("inf")
    for _ in range(10):  # CPU since the start of the process: on a busy machine the clock tells of others
        best = min(best, float(_run(f"{THOUSAND}\nimport time; print(time.process_time())")))
        if best <= 1:
            break

    assert best <= 1, f"{best:.2f} s"


@cache
def _real(corpus: Path) -> Sequence[Sequence[Tool]]:
    return [[to_tool(each) for each in read_operations(Document.parse(corpus / name))] for name in FEW]


@cache
def _found(corpus: Path) -> Sequence[Finding]:
    return [finding for tools in _real(corpus) for finding in lint(tools)]


@pytest.mark.corpus
@pytest.mark.req("TEST-01")
def test_no_rule_fires_on_most_real_tools(corpus: Path) -> None:
    tools = sum(map(len, _real(corpus)))
    counts = Counter(finding.code for finding in _found(corpus))

    assert tools > 2_500
    assert {code: count for code, count in counts.items() if count > 0.6 * tools} == {}


@pytest.mark.corpus
@pytest.mark.req("TEST-01")
def test_real_tools_of_a_converter_hold_no_error_but_what_their_descriptions_say(corpus: Path) -> None:
    errors = Counter(finding.code for finding in _found(corpus) if finding.severity == "error")

    assert errors.keys() <= {"MB505", "MB705"}  # lists without items; an API for models names their control tokens
    assert errors.total() < 20
