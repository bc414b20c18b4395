"""A child that speaks just enough MCP (2025-11-25), starts quickly, and misbehaves as it is told.

`python puppet.py [deaf] [mute] [noisy] [FILE]`: deaf ends neither with its input nor at SIGTERM, mute never answers,
noisy writes what is no message; each start adds its process id to FILE.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ["ask", "die", "echo", "flood", "hang", "huge", "pid", "sample", "spawn", "stray"]
DEAF, MUTE, NOISY = ("deaf" in sys.argv, "mute" in sys.argv, "noisy" in sys.argv)
FORM = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"sure": {"type": "boolean"}}}}
LATER: list[str] = []
SAMPLE: dict[str, Any] = {"messages": [], "maxTokens": 5}


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answered() -> str:
    """What is said to our question; what else comes in the meantime waits."""
    while '"id":"q"' not in (line := sys.stdin.readline()):
        LATER.append(line)
    return line


def act(name: str, number: Any) -> str:
    match name:
        case "die":
            os._exit(1)
        case "hang":
            time.sleep(600)
        case "flood":
            sys.stderr.write("x" * 3_000_000 + "the end")
            sys.stderr.flush()
        case "huge":
            return "x" * 10_000_000
        case "spawn":
            return str(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid)
        case "ask":
            say(id="q", method="elicitation/create", params=FORM)
            return answered()
        case "sample":
            say(id="q", method="sampling/createMessage", params=SAMPLE)
            return answered()
        case "stray":
            say(id=number + 1000, result={"content": [{"type": "text", "text": "not asked for"}]})
            say(method="notifications/progress", params={"progressToken": "not-yours", "progress": 1})
            say(method="notifications/cancelled", params={"requestId": number, "reason": "not yours to say"})
        case _:
            pass
    return str(os.getpid())


def answer(message: dict[str, Any]) -> None:
    number, method = message["id"], message["method"]
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        info = {"name": "puppet", "version": "1"}
        say(id=number, result={"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info})
    elif method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in NAMES]
        say(id=number, result={"tools": tools})
    elif method == "tools/call":
        text = act(message["params"]["name"], number)
        say(id=number, result={"content": [{"type": "text", "text": text}]})
    else:
        say(id=number, error={"code": -32601, "message": f"no {method}"})


def main() -> None:
    if DEAF:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) > 1 and sys.argv[-1].startswith("/"):
        with Path(sys.argv[-1]).open("a") as file:
            file.write(f"{os.getpid()}\n")
    for line in sys.stdin:
        if NOISY:
            sys.stdout.write("starting…\n\n{\n[1]\n")
            sys.stdout.write("y" * 5_000_000 + "\n")
        LATER.append(line)
        while LATER:
            message = json.loads(LATER.pop(0))
            if "id" in message and "method" in message and not MUTE:
                answer(message)
    if DEAF:
        time.sleep(600)


if __name__ == "__main__":
    main()
