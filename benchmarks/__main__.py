"""Speed and memory as ratios, measured side by side in one run: `python -m benchmarks [P1 P3 …] [--runs 5]`.

MCPBRIDGE_SHARED    the folder with `corpus/dev/github-api.json`
MCPBRIDGE_PEER      a Python that has the peer installed
MCPBRIDGE_SUITE     jsonschema's source package (.tar.gz), which holds the official suite
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import load, proxy, reading, records, upstream, validation, wire

HERE = Path(__file__).parent
GITHUB = Path(os.environ.get("MCPBRIDGE_SHARED", HERE.parents[1] / "shared")) / "corpus/dev/github-api.json"
PEER = os.environ.get("MCPBRIDGE_PEER", "")
OURS = (sys.executable, str(HERE / "ours.py"))
THEIRS = (PEER, str(HERE / "theirs.py"))
SERVE = (sys.executable, "-m", "mcpbridge", "serve")
MANY = 1000
NAME, ARGUMENTS = "get_item_7", {"id": "7", "limit": 10}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure: `value` has to be at most `goal` (`least` turns that round)."""

    id: str
    what: str
    value: float
    goal: float
    ours: str
    theirs: str
    least: bool = False

    @property
    def good(self) -> bool:
        return self.value >= self.goal if self.least else self.value <= self.goal


def p1(runs: int) -> Iterator[Row]:
    taken = wire.interleaved({
        "ours": lambda: wire.run([*OURS, "convert", str(GITHUB)])["seconds"],
        "theirs": lambda: wire.run([*THEIRS, "convert", str(GITHUB)])["seconds"],
    }, runs)  # fmt: skip
    yield _row("P1", "CPU: GitHub, parsed, to all tools", taken, 1 / 40)


def p2(runs: int) -> Iterator[Row]:
    address = "http://127.0.0.1:9"
    commands = {"ours": [*SERVE, str(GITHUB), "--base-url", address], "theirs": [*THEIRS, "stdio", str(GITHUB)]}
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(wire.first_listing(command))
    assert {count for each in taken.values() for _, _, count in each} == {1223}
    yield _row("P2", "start to first listing over stdio", {k: [s for s, _, _ in v] for k, v in taken.items()}, 1 / 6)
    memory = {name: [peak for _, peak, _ in each] for name, each in taken.items()}
    yield _row("P2", "peak memory until then", memory, 1 / 3, unit="MB")


def p3(runs: int) -> Iterator[Row]:
    taken = wire.interleaved({
        "ours": lambda: wire.run([*OURS, "import"])["seconds"],
        "theirs": lambda: wire.run([*OURS, "sdk-import"])["seconds"],
    }, max(runs, 9))  # fmt: skip
    yield _row("P3", "CPU: import and convert, against import mcp", taken, 1 / 8)


def p4(runs: int) -> Iterator[Row]:
    with _gateways() as servers:
        taken = _timed(servers, runs)
    yield _row("P4", "a call of 10 tools", {"ours": taken["ours 10"], "theirs": taken["theirs 10"]}, 0.5, unit="ms")


def p5(runs: int) -> Iterator[Row]:
    with _gateways() as servers:
        taken = _timed(servers, runs)
    flat = {"ours": taken[f"ours {MANY}"], "theirs": taken["ours 10"]}
    yield _row("P5", f"a call at {MANY} tools, against 10", flat, 1.1, unit="ms")
    against = {"ours": taken[f"ours {MANY}"], "theirs": taken[f"theirs {MANY}"]}
    yield _row("P5", f"a call at {MANY} tools, against the peer", against, 1 / 50, unit="ms")


def p6(runs: int) -> Iterator[Row]:
    with _gateways() as servers:
        taken = wire.interleaved({name: partial(_rate, server) for name, server in servers.items()}, runs)
    for count, goal in ((10, 2.0), (MANY, 50.0)):
        ours, theirs = taken[f"ours {count}"], taken[f"theirs {count}"]
        yield Row(
            id="P6", what=f"{load.WAYS}-way calls a second, {count} tools", value=wire.ratio(ours, theirs), goal=goal,
            ours=f"{statistics.median(ours):.4g}", theirs=f"{statistics.median(theirs):.4g}", least=True,
        )  # fmt: skip


def p7(runs: int) -> Iterator[Row]:
    taken = wire.interleaved({"ours": validation.ours, "theirs": validation.theirs}, runs)
    yield _row("P7", "validating three argument objects", taken, 1 / 50, unit="µs")
    suite = os.environ.get("MCPBRIDGE_SUITE", "")
    right, total = validation.official_suite(Path(suite)) if suite else (0, 1)
    said = f"{right} of {total}" if suite else "MCPBRIDGE_SUITE is not set"
    yield Row(
        id="P7", what="official suite of 2020-12", value=right / total, goal=1.0, ours=said, theirs="", least=True
    )


def p8(runs: int) -> Iterator[Row]:
    servers: dict[str, wire.Server] = {}
    try:
        for name, command in (("ours", [*OURS, "http"]), ("theirs", [*THEIRS, "http"]), ("bare", [*OURS, "bare"])):
            port = wire.free_port()
            servers[name] = wire.Server([*command, str(GITHUB), str(port), "filter"], port)
            assert servers[name].list_all() == 1223, name
        asked = {name: partial(wire.p50, server, server.list_all, 3) for name, server in servers.items()}
        taken = wire.interleaved(asked, runs)
    finally:
        for server in servers.values():
            server.close()
    yield _row("P8", "listing GitHub again, filtered", taken, 1 / 50, unit="ms")
    yield _row("P8", "the same, against the bare SDK", {"ours": taken["ours"], "theirs": taken["bare"]}, 1.3, unit="ms")


def p9(runs: int) -> Iterator[Row]:
    text = reading.large_yaml()
    readers = {"ours": lambda: reading.ours_yaml(text), "theirs": lambda: reading.theirs_yaml(text)}
    yield _row("P9", "CPU: 10 MB of YAML, against CSafeLoader", wire.interleaved(readers, runs), 1 / 5)


def p10(runs: int) -> Iterator[Row]:
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    growth: list[float] = []
    with _process("reading.py", "flood") as url:
        for _ in range(runs):
            for name, which in (("ours", "capped"), ("theirs", "whole")):
                script = [sys.executable, str(HERE / "reading.py"), which, url]
                seconds, grown = json.loads(subprocess.run(script, check=True, capture_output=True, text=True).stdout)
                taken[name].append(seconds)
                growth += [grown] if name == "ours" else []
    yield _row("P10", "50 MB answer, capped, against read-all", taken, 1 / 20, unit="ms")
    most = max(growth)
    yield Row(id="P10", what="megabytes of growth", value=most, goal=4.0, ours=f"{most:.3g} MB", theirs="")


def p11(runs: int) -> Iterator[Row]:
    script = str(HERE / "proxy.py")
    servers: dict[str, wire.Server] = {}
    with _process("proxy.py", "upstream") as address:
        try:
            for name, python, words in (
                ("ours", sys.executable, ["ours"]),
                ("connected", PEER, ["theirs", "connected"]),
                ("by url", PEER, ["theirs"]),
            ):
                port = wire.free_port()
                command = [python, script, words[0], f"{address}/mcp", str(port), *words[1:]]
                servers[name] = wire.Server(command, port)
            asked = {
                name: partial(_through, server, 30 if name == "by url" else 200) for name, server in servers.items()
            }
            taken = wire.interleaved(asked, max(runs, 5))
        finally:
            for server in servers.values():
                server.close()
    against = {"ours": taken["ours"], "theirs": taken["connected"]}
    yield _row("P11", "a call through an MCP upstream", against, 0.55, unit="ms")
    against = {"ours": taken["ours"], "theirs": taken["by url"]}
    yield _row("P11", "the same, against the peer's proxy by URL", against, 1 / 25, unit="ms")
    with _process("proxy.py", "upstream", "many") as address:
        listed = [wire.run([sys.executable, script, "listings", f"{address}/mcp"]) for _ in range(runs)]
    first, again, busy = (statistics.median(each) for each in zip(*listed, strict=True))
    what, told = "50 upstreams of 100 tools: first listing", f"{busy:.2g} s CPU"
    yield Row(id="P11", what=what, value=first, goal=2.0, ours=told, theirs="")
    yield Row(
        id="P11", what="the same again, in seconds", value=again, goal=0.05, ours=f"{again * 1e3:.3g} ms", theirs=""
    )


def every(_: int) -> Iterator[Row]:
    seconds, count, tools = reading.corpus(GITHUB.parent)
    what = f"seconds to convert {count} descriptions"
    yield Row(id="ALL", what=what, value=seconds, goal=25.0, ours=f"{tools} tools", theirs="")
    size = GITHUB.stat().st_size / 1e6
    most = reading.peak(GITHUB) / size
    yield Row(
        id="ALL",
        what="peak memory of the largest, in its own size",
        value=most,
        goal=12.0,
        ours=f"{size:.3g} MB",
        theirs="",
    )


@contextmanager
def _gateways() -> Iterator[dict[str, wire.Server]]:
    """Ours and the peer's, each before 10 operations and before many, of one upstream."""
    with _process("upstream.py") as address, tempfile.TemporaryDirectory() as folder:
        servers: dict[str, wire.Server] = {}
        try:
            for count in (10, MANY):
                path = Path(folder) / f"{count}.json"
                path.write_text(json.dumps(upstream.description(count, address)), "utf-8")
                for name, command in (("ours", OURS), ("theirs", THEIRS)):
                    port = wire.free_port()
                    servers[f"{name} {count}"] = wire.Server([*command, "http", str(path), str(port)], port)
            yield servers
        finally:
            for server in servers.values():
                server.close()


def _timed(servers: dict[str, wire.Server], runs: int) -> dict[str, list[float]]:
    """Seconds of one call, in the median, of each server in turn."""
    calls = {name: _caller(server) for name, server in servers.items()}
    times = {name: 30 if name == f"theirs {MANY}" else 300 for name in calls}
    for name, call in calls.items():
        wire.p50(servers[name], call, 20)
    measured = {name: partial(wire.p50, servers[name], call, times[name]) for name, call in calls.items()}
    return wire.interleaved(measured, max(runs, 7))


def _rate(server: wire.Server) -> float:
    return load.rate(server.port, NAME, ARGUMENTS, seconds=2.0)


def _caller(server: wire.Server) -> Callable[[], object]:
    def call() -> None:
        answer = server.ask("tools/call", {"name": NAME, "arguments": ARGUMENTS})
        assert not answer.get("isError"), answer

    return call


def _through(server: wire.Server, times: int) -> float:
    def call() -> None:
        answer = server.ask("tools/call", {"name": proxy.NAME, "arguments": proxy.ARGUMENTS})
        assert not answer.get("isError"), answer

    return wire.p50(server, call, times)


@contextmanager
def _process(script: str, *words: str) -> Iterator[str]:
    """A server in a process of its own, at the URL given; its port is its last word."""
    port = wire.free_port()
    process = subprocess.Popen([sys.executable, str(HERE / script), *words, str(port)])
    try:
        wire.wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _row(id: str, what: str, taken: dict[str, list[float]], goal: float, *, unit: str = "s") -> Row:
    factor = {"s": 1.0, "ms": 1e3, "µs": 1e6, "MB": 1.0}[unit]
    mine, other = (statistics.median(taken[name]) * factor for name in ("ours", "theirs"))
    value = wire.ratio(taken["ours"], taken["theirs"])
    return Row(id=id, what=what, value=value, goal=goal, ours=f"{mine:.3g} {unit}", theirs=f"{other:.3g} {unit}")


def r1(runs: int) -> Iterator[Row]:
    for name, seconds in records.measured(runs).items():
        if (goal := records.GOALS[name]) is not None:
            what = f"seconds: {name}, {records.COUNT} records"
            yield Row(id="R1", what=what, value=seconds, goal=goal, ours=f"{seconds:.3g} s", theirs="")


BENCHES = {
    "P1": p1,
    "P2": p2,
    "P3": p3,
    "P4": p4,
    "P5": p5,
    "P6": p6,
    "P7": p7,
    "P8": p8,
    "P9": p9,
    "P10": p10,
    "P11": p11,
    "R1": r1,
    "ALL": every,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("which", nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    missed = 0
    print(f"{'':3} {'what':44} {'ours':>10} {'theirs':>10} {'ratio':>8} {'goal':>8}  verdict")
    for name in chosen.which or BENCHES:
        for row in BENCHES[name](chosen.runs):
            missed += not row.good
            verdict = "good" if row.good else "MISSED"
            print(
                f"{row.id:3} {row.what:44} {row.ours:>10} {row.theirs:>10} {row.value:8.4f} {row.goal:8.4f}  {verdict}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
