"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mcpbridge.openapi import yaml12
from mcpbridge.testing import plugin
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.testing.gateway import open_gateway
from mcpbridge.testing.snapshots import assert_tools
from mcpbridge.upstream.functions import Functions

LOADED = (FakeUpstream, Functions, assert_tools, open_gateway, yaml12)
"""Loaded here, since an inner run forgets the modules that it was the first to load."""

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.req("TEST-02")

SUITE = """
from mcpbridge import Tool
from mcpbridge.testing import assert_tools

TOOLS = {tools}

def test_the_tools_stay():
    assert_tools(TOOLS, "tools.json")
"""

ONE = '[Tool(name="find", description="Finds.", access="read")]'
OTHER = '[Tool(name="find", description="Looks.", access="write"), Tool(name="buy")]'

OPTIONS = (
    "-p", "no:mcpbridge", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:pytest_cov",
    "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function",
)  # fmt: skip

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs pytest on a file that holds this text, with the plugin and what is given."""

    def ran(text: str, *words: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text)
        return pytester.runpytest_inprocess(*OPTIONS, *words, plugins=[plugin])

    return ran


def test_a_snapshot_is_missing_then_written_then_kept(run: Run, pytester: pytest.Pytester) -> None:
    missing = run(SUITE.format(tools=ONE))
    written = run(SUITE.format(tools=ONE), "--mcpbridge-update")
    kept = run(SUITE.format(tools=ONE))

    missing.stdout.fnmatch_lines(["*there is no snapshot *tools.json* yet: run pytest --mcpbridge-update*"])
    written.stdout.fnmatch_lines(["mcpbridge wrote the snapshot *tools.json"])
    assert [missing.ret, written.ret, kept.ret] == [1, 0, 0]
    assert json.loads((pytester.path / "tools.json").read_text("utf-8"))["tools"][0]["name"] == "find"


def test_a_change_fails_with_a_classified_difference(run: Run) -> None:
    run(SUITE.format(tools=OTHER), "--mcpbridge-update")
    changed = run(SUITE.format(tools=ONE))

    changed.stdout.fnmatch_lines(
        [
            "*the tools are not those of *tools.json:",
            "*removed: 1",
            "*buy: the tool is gone",
            "*access lowered: 1",
            "*find /annotations/readOnlyHint: said that it writes, says that it reads",
            "*text: 1",
            "*3 changes, 2 breaking",
            "*run pytest --mcpbridge-update.",
        ]
    )


def test_an_update_leaves_a_snapshot_alone_that_fits(run: Run, pytester: pytest.Pytester) -> None:
    run(SUITE.format(tools=ONE), "--mcpbridge-update")
    path = pytester.path / "tools.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), "utf-8")
    again = run(SUITE.format(tools=ONE), "--mcpbridge-update")

    again.stdout.no_fnmatch_line("*wrote*")
    assert "\n" not in path.read_text("utf-8")


def test_allowed_effects_pass(run: Run) -> None:
    run(SUITE.format(tools=ONE), "--mcpbridge-update")
    more = SUITE.format(tools=ONE[:-1] + ', Tool(name="buy")]')

    assert run(more).ret == 1
    assert run(more.replace('"tools.json"', '"tools.json", allow={"added"}')).ret == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"mcpbridge": "tools", "version": 7, "tools": []}', "*snapshot of version 7*reads 1: update mcpbridge*"),
        ("<<<<<<< ours", "*tools.json is no JSON, it holds the marks of a merge*--mcpbridge-update*"),
    ],
)
def test_a_snapshot_that_can_not_be_read_says_so_and_is_written_anew(
    run: Run, pytester: pytest.Pytester, text: str, words: str
) -> None:
    (pytester.path / "tools.json").write_text(text, "utf-8")
    broken = run(SUITE.format(tools=ONE))
    run(SUITE.format(tools=ONE), "--mcpbridge-update")

    broken.stdout.fnmatch_lines([words])
    assert run(SUITE.format(tools=ONE)).ret == 0


ASYNC = """
import pytest
from mcpbridge import Functions
from mcpbridge.testing import assert_tools

def find(words: str) -> str:
    "Finds."

@pytest.mark.asyncio
async def test_a_source():
    {wait} assert_tools(Functions(find), "deep/tools.json")
"""


def test_a_source_is_listed_and_its_check_has_to_be_awaited(run: Run, pytester: pytest.Pytester) -> None:
    run(ASYNC.format(wait="await"), "--mcpbridge-update")
    kept = run(ASYNC.format(wait="await"))
    forgotten = run(ASYNC.format(wait="_ ="), "-W", "ignore")

    assert (pytester.path / "deep/tools.json").is_file()
    assert kept.ret == 0
    assert forgotten.ret == 1
    forgotten.stdout.fnmatch_lines(["*has to be awaited, and was not: deep/tools.json*"])


GATEWAY = """
import pytest
from mcpbridge import Functions

def find(words: str) -> str:
    "Finds."
    return "found"

@pytest.mark.asyncio
async def test_it(mcpbridge_gateway):
    async with mcpbridge_gateway({"one": Functions(reads=[find])}) as gateway:
        result = await gateway.client.call_tool("one__find", {"words": "x"})
        assert result.content[0].text == "found"
"""


def test_the_gateway_is_a_fixture(run: Run) -> None:
    assert run(GATEWAY).ret == 0


UPSTREAM = """
import pytest
from mcpbridge import Call, RestSource, Tool

@pytest.mark.asyncio
async def test_it(mcpbridge_upstream, request):
    fake = mcpbridge_upstream("api.yaml")
    path = request.path.parent / "api.yaml"
    async with RestSource.from_openapi(path, base_url="http://fake.test", transport=fake.transport) as source:
        await source.call(Call(name="list_books", arguments={{"limit": {limit}}}))
    assert fake.names == ["list_books"]
    assert mcpbridge_upstream([Tool(name="find")]).source.tools[0].name == "find"
"""


def test_fake_upstreams_are_a_fixture_that_judges_what_they_received(
    run: Run, pytester: pytest.Pytester, bookshop: str
) -> None:
    (pytester.path / "api.yaml").write_text(bookshop, "utf-8")
    good, bad = run(UPSTREAM.format(limit=5)), run(UPSTREAM.format(limit=500))

    assert good.ret == 0
    bad.assert_outcomes(passed=1, errors=1)
    bad.stdout.fnmatch_lines(["*received what its description does not allow*", "*list_books: query limit: expected*"])


def test_without_pytest_a_snapshot_is_looked_for_where_the_process_is(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="there is no snapshot"):
        assert_tools([], tmp_path / "tools.json")
