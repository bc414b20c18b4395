"""The bookshop's server on a free port of the loopback interface, in a thread of its own."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from threading import Thread

import uvicorn

from mcpbridge.demo.shop import Shop, bookshop


def description() -> str:
    """The bookshop's OpenAPI description (3.1, YAML)."""
    return files("mcpbridge.demo").joinpath("bookshop.yaml").read_text("utf-8")


@contextmanager
def running(shop: Shop | None = None) -> Generator[str, None, None]:
    """The base URL of a bookshop that answers until the block ends.

    The port listens before the thread starts, so the first request waits instead of being refused. A thread,
    because uvicorn leaves the signals alone there: Ctrl-C is for whoever serves the tools.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(bookshop(shop), log_level="error", access_log=False, lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=5)
