"""Raw MCP messages, so that no client library is part of what is measured."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Server:
    """A contestant that serves over HTTP in a process of its own, and one kept connection to it."""

    def __init__(self, command: Sequence[str], port: int, *, path: str = "/mcp") -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.path, self.port = path, port
        wait_for(port, self.process)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def connect(self) -> None:
        """A fresh connection: a server closes one that was idle while others were measured."""
        self.connection.close()
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The result of one stateless request of the 2026-07-28 revision."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}})
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
        }
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if "event-stream" in (answer.getheader("content-type") or ""):
            text = next(line[5:] for line in text.splitlines() if line.startswith(b"data:") and b'"id"' in line)
        message = json.loads(text)
        if "result" not in message:
            raise RuntimeError(f"{method} on port {self.port}: {answer.status} {text[:400]!r}")
        return message["result"]

    def list_all(self) -> int:
        """How many tools there are, over all pages."""
        count, cursor = 0, None
        while True:
            page = self.ask("tools/list", {"cursor": cursor} if cursor else {})
            count += len(page["tools"])
            cursor = page.get("nextCursor")
            if not cursor:
                return count

    def close(self) -> None:
        self.connection.close()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {(process.stderr.read() if process.stderr else b'')[-800:]!r}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def first_listing(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[float, float, int]:
    """Seconds from process start to all tools listed over stdio, peak memory in MB (all processes), and the count."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdin
    assert process.stdout
    try:
        count, cursor = 0, None
        while True:
            params = {"cursor": cursor} if cursor else {}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {**params, "_meta": META}}
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            while answer.get("id") != 1:
                answer = json.loads(process.stdout.readline())
            count += len(answer["result"]["tools"])
            cursor = answer["result"].get("nextCursor")
            if not cursor:
                break
        seconds = time.perf_counter() - begin
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return seconds, peak / 1024, count
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def run(command: Sequence[str]) -> dict[str, Any]:
    """What a contestant's script printed as JSON on its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def interleaved(contestants: dict[str, Callable[[], float]], runs: int) -> dict[str, list[float]]:
    """The numbers of each contestant, measured in turn."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, measure in contestants.items():
            taken[name].append(measure())
    return taken


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of neighbours."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def p50(server: Server, act: Callable[[], object], times: int) -> float:
    """The median seconds of an act on a server's connection."""
    server.connect()
    act()
    taken: list[float] = []
    for _ in range(times):
        begin = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)
