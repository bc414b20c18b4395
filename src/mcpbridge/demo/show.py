"""`mcpbridge demo`: from a REST API to tools, in front of your eyes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from mcpbridge.build import guarded
from mcpbridge.cli.outcome import DONE
from mcpbridge.cli.serving import check_free, serve_over_http
from mcpbridge.cli.table import tool_table
from mcpbridge.demo.local import description, running
from mcpbridge.errors import InvalidArguments, UpstreamError
from mcpbridge.rest import RestSource
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import ANYONE, Call, Json
from mcpbridge.wrap.approval import ApprovalRequest, Decision
from mcpbridge.wrap.approve import ask_host

HOST = "127.0.0.1"
PORT = 8321

ORDER = {"isbn": "9780141439518", "quantity": 2, "customer": {"name": "Ada Lovelace"}}


async def show(*, once: bool, port: int = PORT) -> int:
    """Shows listing, read and approval on a bookshop that runs meanwhile; then serves it, unless `once`.

    Raises: ConfigError where the port can't be had; UpstreamError where the show does not go as it should.
    """
    if not once:
        check_free(HOST, port)
    with running() as url:
        console = Console(highlight=False)
        await _walk(console, url)
        if not once:
            _title(console, f"The same tools over MCP, at http://{HOST}:{port}/mcp")
            source = RestSource.from_openapi(description(), base_url=url)
            await serve_over_http(source, HOST, port, name="bookshop")
    return DONE


async def _walk(console: Console, url: str) -> None:
    _title(console, "A bookshop's REST API becomes tools")
    _say(console, f"It answers at {url}; this is what its OpenAPI description gives:\n")

    def decide(request: ApprovalRequest, call: Call) -> Decision:  # noqa: ARG001 - an approver's signature
        _say(console, request.shown, style="yellow")
        _say(
            console,
            "→ yes, says the demonstration by itself: with you it is the MCP client that asks, or your own approver",
        )
        return Decision(approved=True, by="the demonstration")

    shop = guarded(RestSource.from_openapi(description(), base_url=url), approver=ask_host(decide))
    async with shop:
        tool_table(await shop.list_tools(ANYONE), console)
        _title(console, "A read runs at once")
        await _call(console, shop, "list_books", {"search": "austen", "in_stock": True})
        _title(console, "Wrong arguments never reach the shop")
        await _call(console, shop, "list_books", {"limit": 500})
        _title(console, "A write asks first")
        await _call(console, shop, "place_order", ORDER)


async def _call(console: Console, shop: ToolSource, name: str, arguments: Mapping[str, Json]) -> None:
    _say(console, f"{name} {json.dumps(arguments)}", style="bold")
    try:
        answer = await shop.call_tool(Call(name=name, arguments=arguments))
    except InvalidArguments as error:
        _say(console, str(error), style="cyan")
        return
    failure = error_of(answer)
    if failure is not None:
        raise UpstreamError(failure)
    _say(console, json.dumps(answer.structured_content, indent=2), style="cyan")


def _title(console: Console, text: str) -> None:
    console.print()
    console.rule(Text(text, style="bold"), align="left")


def _say(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)
