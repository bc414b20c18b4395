"""A FastAPI app as tools: over a real server on loopback, and in the process."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Annotated, Any, cast

import mcp_types
import pytest
import uvicorn
from fastapi import Body, Cookie, FastAPI, File, Form, Header, Query, Request, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from pydantic import BaseModel

from mcpbridge.auth.static import ApiKey
from mcpbridge.errors import ConfigError, InvalidArguments
from mcpbridge.openapi.document import Document
from mcpbridge.rest import RestSource
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call

NASTY = ["a b", "a/b", "x&y=z", "50%", "q?r#s", "a+b", "é ü", "日本", "one,two", '"q"', "a|b", "{x}", "a%20b", "[z]"]


class Size(Enum):
    """How large a thing is."""

    SMALL = "small"
    LARGE = "large"


class Thing(BaseModel):
    """What is kept."""

    name: str
    size: Size = Size.SMALL
    tags: list[str] = []
    note: str | None = "none"


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/echo/{item}", operation_id="echo")
    def echo(  # pyright: ignore[reportUnusedFunction] -- registered by its decorator
        item: str,
        q: Annotated[list[str] | None, Query()] = None,
        flag: bool = False,
        x_id: Annotated[str | None, Header()] = None,
        sid: Annotated[str | None, Cookie()] = None,
    ) -> dict[str, Any]:
        return {"item": item, "q": q, "flag": flag, "x_id": x_id, "sid": sid}

    @app.put("/things/{number}", operation_id="put_thing", status_code=201)
    def put_thing(number: int, thing: Thing, q: int = 0) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        return {"number": number, "q": q, "thing": thing.model_dump(mode="json")}

    @app.post("/form", operation_id="form")
    def form(name: Annotated[str, Form()], tags: Annotated[list[str], Form()]) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        return {"name": name, "tags": tags}

    @app.post("/upload", operation_id="upload")
    async def upload(  # pyright: ignore[reportUnusedFunction]
        file: Annotated[UploadFile, File()], note: Annotated[str, Form()]
    ) -> dict[str, Any]:
        return {"name": file.filename, "size": len(await file.read()), "note": note}

    @app.post("/raw", operation_id="raw")
    async def raw(request: Request, data: Annotated[str, Body(media_type="text/plain")]) -> str:  # pyright: ignore[reportUnusedFunction]
        return f"{request.headers['content-type']} {data}"

    @app.get("/gone", operation_id="gone")
    def gone() -> Response:  # pyright: ignore[reportUnusedFunction]
        return PlainTextResponse("boom", status_code=500)

    @app.get("/crash", operation_id="crash")
    def crash() -> Response:  # pyright: ignore[reportUnusedFunction]
        raise RuntimeError("a secret of the app")

    @app.get("/moved", operation_id="moved")
    def moved() -> Response:  # pyright: ignore[reportUnusedFunction]
        return RedirectResponse("/echo/moved")

    @app.get("/whoami", operation_id="whoami")
    def whoami(request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        return {"key": request.query_params.get("key"), "tenant": request.headers.get("x-tenant")}

    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """The app behind uvicorn on a random port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="critical")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)


@pytest.fixture(params=["server", "process"])
async def things(request: pytest.FixtureRequest) -> AsyncGenerator[RestSource]:
    """The app's tools, both ways."""
    app = make_app()
    auth, headers = ApiKey("sesame", "key", where="query"), {"X-Tenant": "acme"}
    if request.param == "process":
        async with RestSource.from_app(app, auth=auth, headers=headers) as source:
            yield source
        return
    async with served(app) as url:
        source = RestSource.from_openapi(app.openapi(), base_url=url, auth=auth, headers=headers)
        async with source:
            yield source


async def called(source: RestSource, tool: str, /, **arguments: Any) -> mcp_types.CallToolResult:
    return cast("mcp_types.CallToolResult", await source.call_tool(Call(name=tool, arguments=arguments, caller=ANYONE)))


@pytest.mark.req("REST-02", "REST-10", "OAS-08")
@pytest.mark.parametrize("text", NASTY)
async def test_any_text_arrives_exactly(things: RestSource, text: str) -> None:
    tool = await things.get_tool("echo", ANYONE)
    names = {name.lower().replace("-", "_"): name for name in tool.input_schema["properties"]}
    header = text if text.isascii() and "," not in text else "plain"
    arguments = {"item": text if "/" not in text else "i", "q": [text, "z"], names["x_id"]: header, "sid": text}
    answer = await called(things, "echo", flag=True, **arguments)

    assert answer.structured_content == {
        "item": arguments["item"],
        "q": [text, "z"],
        "flag": True,
        "x_id": header,
        "sid": answer.structured_content["sid"],
    }


@pytest.mark.req("REST-10", "OAS-09")
async def test_a_body_arrives_as_it_was_given(things: RestSource) -> None:
    thing = {"name": "é", "size": "large", "tags": ["a", "b"], "note": None}
    answer = await called(things, "put_thing", number=7, q=1, **thing)

    assert answer.structured_content == {"number": 7, "q": 1, "thing": thing}


@pytest.mark.req("REST-10", "OAS-09")
async def test_forms_and_files_arrive(things: RestSource) -> None:
    form = await called(things, "form", name="a&b=c é", tags=["x", "y z"])
    upload = await called(things, "upload", file="aGVsbG8=", note="n é")

    assert form.structured_content == {"name": "a&b=c é", "tags": ["x", "y z"]}
    assert upload.structured_content == {"name": "file", "size": 5, "note": "n é"}


@pytest.mark.req("REST-09", "AUTH-01")
async def test_headers_and_the_key_arrive(things: RestSource) -> None:
    assert (await called(things, "whoami")).structured_content == {"key": "sesame", "tenant": "acme"}


@pytest.mark.req("REST-05")
async def test_errors_of_the_app_are_failures(things: RestSource) -> None:
    failures = [error_of(await called(things, name)) for name in ("gone", "crash")]
    refused = error_of(await called(things, "put_thing", number=7, name="x", size="huge"))

    assert [found and (found.code, found.status) for found in failures] == [("upstream_error", 500)] * 2
    assert not any("a secret of the app" in str(found) for found in failures)
    assert refused is not None
    assert (refused.status, refused.sent) == (422, "yes")


@pytest.mark.req("REST-07")
async def test_a_redirect_of_the_app_is_followed(things: RestSource) -> None:
    answer = await called(things, "moved")

    assert answer.structured_content["item"] == "moved"


@pytest.mark.req("REST-02", "ATK-16")
@pytest.mark.parametrize("item", ["..", ".", "%2e%2e", "../gone", ""])
async def test_no_value_reaches_another_route(things: RestSource, item: str) -> None:
    with pytest.raises(InvalidArguments):
        await called(things, "echo", item=item)


async def test_many_calls_at_once_share_the_pool(things: RestSource) -> None:
    answers = await asyncio.gather(*(called(things, "echo", item=str(number)) for number in range(50)))

    assert [answer.structured_content["item"] for answer in answers] == [str(number) for number in range(50)]


@pytest.mark.req("REST-10")
def test_an_app_without_a_description_is_a_config_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(ConfigError, match="description="):
        RestSource.from_app(app)


@pytest.mark.req("OAS-16")
async def test_the_descriptions_first_server_is_the_base_url() -> None:
    description = make_app().openapi() | {"servers": [{"url": "https://api.example.com/v1"}]}

    assert RestSource.from_openapi(description).base_url == "https://api.example.com/v1"
    assert RestSource.from_openapi(Document.parse(json.dumps(description)), base_url="http://h").base_url == "http://h"


@pytest.mark.req("OAS-16")
@pytest.mark.parametrize("servers", [[], [{"url": "/v1"}], [{"url": "https://{host}"}], [{"url": "ftp://h"}]])
async def test_without_a_server_to_call_the_base_url_is_asked_for(servers: list[Any]) -> None:
    with pytest.raises(ConfigError, match="pass base_url="):
        RestSource.from_openapi(make_app().openapi() | {"servers": servers})
