"""Servers that nobody here wrote, as upstreams: the reference servers of PyPI and npm, over every transport."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from court import JUDGES
from mcp import StdioServerParameters

from mcpbridge import ANYONE, Call, McpSource, Router, error_of
from mcpbridge.upstream.backoff import Backoff

SERVERS = JUDGES / "servers"
PACKAGES = [f"@modelcontextprotocol/server-{name}@2026.8.31" for name in ("everything", "filesystem", "memory")]


@pytest.fixture(scope="session")
def servers() -> Path:
    """The folder of the servers from npm, in a place of their own: npm takes out what it was not told of."""
    found = SERVERS / "node_modules/@modelcontextprotocol"
    if not all((found / package.split("/")[1].partition("@")[0]).is_dir() for package in PACKAGES):
        SERVERS.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--prefix", str(SERVERS), "--no-audit", "--no-fund", "--no-save", *PACKAGES]
        subprocess.run(npm, check=True, capture_output=True, timeout=600)
    return found


def _node(servers: Path, node: str, name: str, *words: str, env: dict[str, str] | None = None) -> StdioServerParameters:
    script = servers / f"server-{name}/dist/index.js"
    return StdioServerParameters(command=node, args=[str(script), *words], env=env)


def _text(answer: Any) -> str:
    assert isinstance(answer, mcp_types.CallToolResult), answer
    assert error_of(answer) is None, answer
    return "".join(part.text for part in answer.content if isinstance(part, mcp_types.TextContent))


@pytest.mark.req("UP-01")
@pytest.mark.parametrize(
    ("module", "tool", "arguments", "said"),
    [
        ("mcp_server_time", "get_current_time", {"timezone": "UTC"}, "UTC"),
        ("mcp_server_git", "git_status", {}, "On branch"),
        ("mcp_server_fetch", "fetch", None, ""),
    ],
)
async def test_the_reference_servers_of_pypi_work(
    module: str, tool: str, arguments: dict[str, Any] | None, said: str, tmp_path: Path
) -> None:
    made = await asyncio.create_subprocess_exec("git", "init", "-q", str(tmp_path))
    assert await made.wait() == 0
    async with McpSource(StdioServerParameters(command=sys.executable, args=["-m", module])) as source:
        assert tool in [each.name for each in await source.list_tools(ANYONE)]
        if arguments is not None:  # fetch would need the internet
            given = arguments or {"repo_path": str(tmp_path)}
            assert said in _text(await source.call(Call(name=tool, arguments=given)))
        assert (await source.status()).state == "connected"


@pytest.mark.req("UP-01")
async def test_the_reference_servers_of_npm_work_side_by_side(servers: Path, node: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", "ascii")
    memory = {"MEMORY_FILE_PATH": str(tmp_path / "memory.json")}
    sources = {
        "all": McpSource(_node(servers, node, "everything", "stdio")),
        "files": McpSource(_node(servers, node, "filesystem", str(tmp_path))),
        "memory": McpSource(_node(servers, node, "memory", env=memory)),
    }
    async with Router(sources) as router:
        names = [tool.name for tool in await router.list_tools(ANYONE)]
        read = Call(name="files__read_text_file", arguments={"path": str(tmp_path / "a.txt")})
        assert _text(await router.call(read)) == "hello"
        assert "3" in _text(await router.call(Call(name="all__get-sum", arguments={"a": 1, "b": 2})))
        assert "entities" in _text(await router.call(Call(name="memory__read_graph")))
        states = {slug: status.state for slug, status in (await router.statuses()).items()}
    assert {name.partition("__")[0] for name in names} == set(sources)
    assert set(states.values()) == {"connected"}


@pytest.mark.req("UP-01", "UP-03")
@pytest.mark.parametrize(("spoken", "path", "declared"), [("sse", "sse", None), ("streamableHttp", "mcp", "http")])
async def test_the_everything_server_heals_over_http(
    servers: Path, node: str, spoken: str, path: str, declared: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/{path}"
    soon = Backoff(first=0.2, most=1.0, restarts=100)
    echo = Call(name="echo", arguments={"message": "hello"})
    async with McpSource(url, transport=declared, backoff=soon) as source:
        async with _running(servers, node, spoken, port):
            assert "hello" in _text(await source.call(echo))
        down = error_of(await source.call(echo))
        assert down is not None
        async with _running(servers, node, spoken, port), asyncio.timeout(30):
            while (failure := error_of(answer := await source.call(echo))) is not None:
                assert failure.sent == "no"
                await asyncio.sleep(0.1)
            assert "hello" in _text(answer)


@pytest.mark.req("UP-01")
@pytest.mark.parametrize(
    ("spoken", "url", "declared"),
    [("streamableHttp", "http://127.0.0.1:{}/mcp", "sse"), ("sse", "http://127.0.0.1:{}/sse", "http")],
)
async def test_a_transport_that_the_everything_server_does_not_speak_is_told(
    servers: Path, node: str, spoken: str, url: str, declared: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with _running(servers, node, spoken, port), McpSource(url.format(port), transport=declared) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    assert failure.code == "wrong_transport"


@asynccontextmanager
async def _running(servers: Path, node: str, spoken: str, port: int) -> AsyncGenerator[None]:
    """The everything server, killed at the end."""
    script = str(servers / "server-everything/dist/index.js")
    silent = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        node, script, spoken, env={**os.environ, "PORT": str(port)}, stdout=silent, stderr=silent
    )
    try:
        async with asyncio.timeout(30):
            await _answers(port)
        yield
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()


async def _answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return
