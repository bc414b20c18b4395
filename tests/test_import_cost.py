"""What importing costs, and what it does not do."""

from __future__ import annotations

import subprocess
import sys

import pytest

CONVERT = """
import json, mcpbridge
words = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": {
    "/books/{id}": {"get": {"operationId": "get_book", "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "a book"}}}}}}
operations = mcpbridge.read_operations(mcpbridge.Document.parse(json.dumps(words)))
tools = [mcpbridge.to_tool(operation) for operation in operations]
assert [tool.name for tool in tools] == ["get_book"]
"""

DIFF = f"""{CONVERT}
from mcpbridge.compare.report import report
from mcpbridge.compare.snapshot import read_tools, snapshot_text
assert mcpbridge.diff(read_tools(snapshot_text(tools)), tools) == []
assert report(mcpbridge.diff(tools, []))[-1] == "1 change, 1 breaking"
"""

PLUGIN = "import mcpbridge.testing.plugin"
"""What every test run of a user pays."""

HEAVY = ("mcp", "mcp_types", "httpx2", "pydantic", "jsonschema", "sqlalchemy", "openapi_core", "authlib")

WATCHED = """
import sys
sys.modules["trio"] = None  # only tests install it; where it is there, httpcore2 imports it, and that runs ldconfig
seen = []
def watch(event, arguments):
    if event in ("socket.__new__", "socket.connect", "socket.bind", "_thread.start_new_thread", "os.mkdir", "os.rename",
                 "os.remove", "subprocess.Popen", "os.posix_spawn"):
        seen.append((event, str(arguments)[:200]))
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append((event, str(arguments)[:200]))
sys.addaudithook(watch)
import importlib, pkgutil, mcpbridge
for module in pkgutil.walk_packages(mcpbridge.__path__, "mcpbridge."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(seen)
"""


def _run(script: str) -> str:
    command = [sys.executable, "-W", "error", "-B", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cpu(script: str) -> float:
    return float(_run(f"import time; begin = time.process_time()\n{script}\nprint(time.process_time() - begin)"))


@pytest.mark.req("TEST-05")
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("script", [CONVERT, DIFF], ids=["converter", "diff"])
def test_importing_and_using_it_costs_an_eighth_of_the_sdk(script: str) -> None:
    ours = theirs = float("inf")
    for run in range(20):  # whatever else the machine does makes single runs slower, never quicker
        ours, theirs = min(ours, _cpu(script)), min(theirs, _cpu("import mcp"))
        if run >= 2 and ours <= theirs / 8:
            break

    assert ours <= theirs / 8, f"{ours:.3f} s against {theirs:.3f} s"


@pytest.mark.req("TEST-05")
@pytest.mark.parametrize("script", [CONVERT, DIFF, PLUGIN], ids=["converter", "diff", "plugin"])
def test_it_loads_neither_the_sdk_nor_a_client(script: str) -> None:
    loaded = _run(f"{script}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])")

    assert loaded == ""


@pytest.mark.req("TEST-05")
@pytest.mark.usefixtures("compiled")
def test_the_plugin_adds_little_to_a_test_run() -> None:
    loading = f"import time, pytest\nbegin = time.process_time()\n{PLUGIN}\nprint(time.process_time() - begin)"
    ours = min(float(_run(loading)) for _ in range(3))
    theirs = min(_cpu("import mcp") for _ in range(3))

    assert ours <= theirs / 16, f"{ours:.3f} s against {theirs:.3f} s"


@pytest.mark.req("ATK-69")
def test_importing_every_module_opens_no_socket_starts_no_thread_and_writes_no_file() -> None:
    assert _run(WATCHED) == "[]"
