"""`mcpbridge lint`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Command

BAD = """openapi: 3.1.0
info: {title: Things, version: '1'}
paths:
  /c/{id}: {get: {operationId: c, responses: {}}}
  /b: {get: {operationId: b, parameters: [{$ref: '#/x'}], responses: {}}}
  /e: 5
"""
REPAIRED = BAD.partition("  /b")[0]
RUN = """
import sys
from mcpbridge.cli.app import app
try:
    app(sys.argv[1:], prog_name="mcpbridge")
except SystemExit as end:
    assert end.code in (0, None), end
heavy = ("mcp", "mcp_types", "httpx2", "jsonschema")  # typer loads pydantic by itself
print("loaded", *[name for name in heavy if name in sys.modules])
"""

Api = Callable[..., str]


@pytest.mark.req("OAS-02", "GW-11")
def test_problems_are_told_with_place_line_and_repair_the_worst_first(command: Command, api: Api) -> None:
    ended = command("lint", api(BAD))

    assert ended.out.splitlines() == [
        "error: /paths/~1b/get/parameters/0 (line 5): the reference '#/x' cannot be resolved: nothing stands at '/x'; "
        "left open",
        "error: /paths/~1e (line 6): a path has to be an object of operations; left out",
        "warning: /paths/~1c~1{id}/get (line 4): no parameter declares {id} of the path; read as text",
        "2 operations, 2 errors, 1 warning, 0 notes",
    ]
    assert (ended.code, ended.err) == (1, "")


@pytest.mark.req("OAS-02", "GW-11")
def test_the_report_as_json_is_one_document(command: Command, api: Api) -> None:
    ended = command("lint", api(BAD), "--json")
    told = ended.json
    problems = told.pop("problems")

    assert told == {"title": "Things", "dialect": "3.1", "operations": 2, "errors": 2, "warnings": 1, "notes": 0}
    assert problems[1] == {
        "pointer": "/paths/~1e",
        "line": 6,
        "severity": "error",
        "message": "a path has to be an object of operations",
        "repair": "left out",
    }
    assert (ended.code, ended.err) == (1, "")


def test_what_was_repaired_is_no_failure(command: Command, api: Api) -> None:
    ended = command("lint", api(REPAIRED))

    assert (ended.code, ended.out.splitlines()[-1]) == (0, "1 operation, 0 errors, 1 warning, 0 notes")


@pytest.mark.parametrize("text", ["", "<html>", '{"openapi": "3.1.0", "paths": {"/a', "openapi: 9.9"])
def test_a_description_that_can_not_be_read_is_a_misuse(command: Command, api: Api, text: str) -> None:
    ended = command("lint", api(text), "--json")

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "api.yaml" in ended.err


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere.yaml", "there is no file"),
        ("stdio:python -m x", "is an MCP server"),
        ("http://127.0.0.1:9/mcp", "is an MCP server"),
        ("http://127.0.0.1:9/api.json", "can't be reached"),
    ],
)
@pytest.mark.parametrize("name", ["lint", "diff"])
def test_only_a_description_can_be_looked_at(command: Command, name: str, target: str, said: str) -> None:
    ended = command(name, *([target] if name == "lint" else [target, target]))

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


@pytest.mark.req("TEST-05")
@pytest.mark.parametrize("name", ["lint", "diff"])
def test_looking_at_a_description_loads_neither_the_sdk_nor_a_client(api: Api, name: str) -> None:
    path = api(REPAIRED)
    words = [name, *([path] if name == "lint" else [path, path]), "--json"]
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[1:] == ["loaded"]


@pytest.mark.corpus
def test_a_large_description_is_linted(command: Command, corpus: Path) -> None:
    assert command("lint", str(corpus / "github-api.json"), "--json").json["operations"] == 1223
