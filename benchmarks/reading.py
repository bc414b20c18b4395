"""What reading costs: a large YAML description, an endless answer, every description that is at hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CAP = 256 * 1024
CHUNK = 64 * 1024
ANSWER = 50 * 1024 * 1024
YAML_SIZE = 10 * 1024 * 1024


def large_yaml() -> str:
    """A description of some ten megabytes, in block style."""
    operation = """\
  /things/{number}/{{id}}:
    get:
      operationId: get_thing_{number}
      summary: One thing of kind {number}, with all that belongs to it
      tags: [things, kind_{number}]
      parameters:
        - name: id
          in: path
          required: true
          schema: {{type: integer, minimum: 1}}
        - name: fields
          in: query
          description: "Which members are wanted; all: leave it out"
          schema:
            type: array
            items: {{type: string, maxLength: 40}}
      responses:
        '200':
          description: the thing
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: {{type: integer}}
                  name: {{type: string, nullable: true}}
                  weight: {{type: number, minimum: 0.5}}
"""
    head = "openapi: 3.0.3\ninfo: {title: Things, version: '1'}\npaths:\n"
    count = YAML_SIZE // len(operation)
    return head + "".join(operation.format(number=number) for number in range(count))


def ours_yaml(text: str) -> float:
    """Seconds of CPU."""
    from mcpbridge.openapi.limits import Deadline, ReadLimits
    from mcpbridge.openapi.yaml12 import load_yaml

    begin = time.process_time()
    load_yaml(text, ReadLimits(), Deadline(600))
    return time.process_time() - begin


def theirs_yaml(text: str) -> float:
    """Seconds of CPU of PyYAML's fastest safe loader."""
    import yaml

    begin = time.process_time()
    yaml.load(text, Loader=yaml.CSafeLoader)
    return time.process_time() - begin


def capped(url: str) -> tuple[float, float]:
    """Seconds, and megabytes of growth, of refusing a 50 MB answer at 256 KiB."""
    import mcpbridge
    from mcpbridge.openapi.declare import declare

    limits = mcpbridge.Limits(answer=CAP)
    source = mcpbridge.RestSource([declare("get", method="GET", path="/")], base_url=url, limits=limits)

    async def call() -> None:
        answer = await source.call_tool(mcpbridge.Call(name="get"))
        assert getattr(mcpbridge.error_of(answer), "code", None) == "answer_too_large", answer

    return asyncio.run(_measured(call, source))


def whole(url: str) -> tuple[float, float]:
    """The same answer read to its end."""
    import httpx2

    client = httpx2.AsyncClient()

    async def call() -> None:
        assert len((await client.get(url)).content) == ANSWER

    return asyncio.run(_measured(call, client))


async def _measured(call: Any, opened: Any) -> tuple[float, float]:
    async with opened:
        before = _peak()
        await call()  # the first call also makes the TLS context, which no later one does
        begin = time.perf_counter()
        await call()
        taken = time.perf_counter() - begin
    return taken, _peak() - before


def _peak() -> float:
    """The most memory that this process had, in megabytes; its parent's does not count."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def flood(port: int) -> None:
    """Answers every request with 50 MB, until it is ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n{CHUNK:x}\r\n".encode()
        )
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head)
                for left in range(ANSWER // CHUNK - 1, -1, -1):
                    writer.write(b"x" * CHUNK + (f"\r\n{CHUNK:x}\r\n" if left else "\r\n0\r\n\r\n").encode())
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port) as server:
        await server.serve_forever()


def corpus(folder: Path) -> tuple[float, int, int]:
    """Seconds to read and convert every description of a folder, how many there were, and how many tools."""
    import mcpbridge

    begin, tools = time.perf_counter(), 0
    found = [*entries(folder)]
    for path in found:
        for operation in mcpbridge.read_operations(mcpbridge.Document.parse(path)):
            tools += bool(mcpbridge.to_tool(operation).name)
    return time.perf_counter() - begin, len(found), tools


def entries(folder: Path) -> list[Path]:
    """The files of a folder, and the entry files of its folders as the manifest beside it names them."""
    named: dict[str, str] = {}
    for line in (folder.parent / "MANIFEST.tsv").read_text("utf-8").splitlines():
        columns = line.split("\t")
        named[columns[1].partition("/")[0]] = columns[1]
    found = sorted(folder.iterdir())
    return [folder / named[path.name] if path.is_dir() else path for path in found if path.name in named]


def peak(path: Path) -> float:
    """Peak memory of a process that reads and converts one description, in megabytes."""
    words = "import sys; from benchmarks.reading import one; one(sys.argv[1])"
    out = subprocess.run([sys.executable, "-c", words, str(path)], check=True, capture_output=True, text=True)
    return float(json.loads(out.stdout))


def one(path: str) -> None:
    """Reads and converts one description, and prints the peak."""
    import mcpbridge

    tools = [mcpbridge.to_tool(each) for each in mcpbridge.read_operations(mcpbridge.Document.parse(Path(path)))]
    assert tools
    print(json.dumps(_peak()))


def main() -> None:
    """`reading.py capped|whole URL` prints seconds and megabytes; `reading.py flood PORT` serves."""
    which, where = sys.argv[1:]
    if which == "flood":
        asyncio.run(flood(int(where)))
    else:
        print(json.dumps({"capped": capped, "whole": whole}[which](where)))


if __name__ == "__main__":
    main()
