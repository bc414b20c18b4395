"""Every code block of the README and the docs runs.

`python`    runs, page by page in one namespace; `await` stands at the top level. A block of an agent framework
            runs where that is installed, as in `nox -s judges`
`console`   every line after `$` runs as a command, in a folder that holds the bookshop's description
`sh`        is not run, since it would not end or needs another machine: its mcpbridge commands and options must exist
`json`, `yaml`   can be read
`text`      is shown only
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcpbridge.demo.local import description, running

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")
FRAMEWORK = re.compile(r"^from (pydantic_ai|agents|langchain|langgraph)\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    page: Path
    line: int
    language: str
    text: str


def _blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(page=page, line=text.count("\n", 0, found.start()) + 2, language=found[1], text=found[2])
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in _blocks(page)]


def _some(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=lambda block: f"{block.page.stem}:{block.line}")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("docs")
    with running() as url:
        (folder / "bookshop.yaml").write_text(description().replace("http://127.0.0.1:8320", url), "utf-8")
        yield folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(shop / "bookshop.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)  # a folder for each page: several keep a gateway.db
    asyncio.run(_run([block for block in _blocks(page) if block.language == "python"]))


async def _run(blocks: list[Block]) -> None:
    names: dict[str, Any] = {"__name__": "__docs__"}
    for block in blocks:
        if any(find_spec(name) is None for name in FRAMEWORK.findall(block.text)):
            continue
        padded = "\n" * (block.line - 1) + block.text
        code = compile(padded, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(code, names)
        if inspect.isawaitable(value):
            await value


@_some("console")
def test_the_commands_of_a_block_work(block: Block, shop: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "TOKEN": "x"}
    for line in block.text.splitlines():
        if line.startswith("$ "):
            done = subprocess.run(
                line[2:], shell=True, cwd=shop, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}: {done.stderr}"


@_some("sh")
def test_commands_that_do_not_end_name_what_there_is(block: Block) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["mcpbridge"]:
            continue
        told = subprocess.run(
            [sys.executable, "-m", "mcpbridge", words[1], "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert [word for word in words if word.startswith("--") and word not in told] == []


def test_json_and_yaml_can_be_read() -> None:
    for block in BLOCKS:
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)


def test_every_block_says_its_language() -> None:
    known = {"python", "console", "sh", "json", "yaml", "text"}

    assert [f"{block.page.name}:{block.line}" for block in BLOCKS if block.language not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_ci_script_calls_the_command_of_the_readme() -> None:
    commands = [line.strip() for block in BLOCKS if block.page.name == "README.md" for line in block.text.splitlines()]
    tests = [line for line in commands if line.endswith("/nox")]

    assert len(tests) == 1
    assert tests[0] in (ROOT / ".ci/run").read_text("utf-8")
