"""`test_call`: the request, the answer and the verdict of one call of an API on the loopback interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcpbridge.errors import InvalidArguments, ToolNotFound
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.gateway.judging import judge_answer, judge_tool
from mcpbridge.gateway.trying import ConfirmationRequired, Trial
from mcpbridge.integrations.errors import NotAllowed
from mcpbridge.integrations.hooks import Management
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.openapi.answered import answers_document
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.policy import Deny
from mcpbridge.source.answer import error_of
from mcpbridge.store.store import Store
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.testing.faults import Fault
from mcpbridge.tools import Call, Caller, Tool

Books = Callable[..., dict[str, Any]]


@pytest.fixture
def described(shop_url: str, shop_file: Path) -> Callable[..., Integration]:
    def record(**fields: Any) -> Integration:
        return Integration(name="shop", protocol="rest", openapi=str(shop_file), base_url=shop_url, **fields)

    return record


async def trial(record: Integration, tool: str, *, confirm: bool = False, **arguments: Any) -> Trial:
    async with Gateway([record]) as gateway:
        return await gateway.test_call(Call(name=tool, arguments=arguments), record.name, confirm=confirm)


@pytest.mark.req("INT-06")
async def test_it_gives_request_answer_time_and_verdict(described: Callable[..., Integration], shop_url: str) -> None:
    tried = await trial(described(), "list_books", search="austen")

    assert tried.request.startswith(f"curl -X GET '{shop_url}/books?search=austen'")
    assert (tried.status, tried.verdict.outcome) == (200, "fits")
    assert error_of(tried.answer) is None
    assert 0 < tried.seconds < 30


@pytest.mark.req("INT-06")
@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": "s3cret-credential"},
        {"type": "api_key", "name": "key", "in": "query", "value": "s3cret-credential"},
    ],
)
async def test_what_the_integration_puts_in_is_masked(
    described: Callable[..., Integration], auth: dict[str, str]
) -> None:
    record = described(auth=auth, headers={"X-Own": "another-s3cret"})
    tried = await trial(record, "list_books")

    assert "s3cret" not in tried.request
    assert tried.request.count("********") == 2


@pytest.mark.req("INT-06")
async def test_a_write_that_nobody_confirmed_is_refused(described: Callable[..., Integration]) -> None:
    with pytest.raises(ConfirmationRequired, match="nothing was sent"):
        await trial(described(), "remove_book", isbn="9780000000000")

    tried = await trial(described(), "remove_book", confirm=True, isbn="9780000000000")
    assert (tried.status, tried.verdict.outcome) == (404, "fits")


@pytest.mark.req("INT-06")
async def test_it_works_while_the_integration_is_switched_off(described: Callable[..., Integration]) -> None:
    assert (await trial(described(enabled=False), "list_books")).verdict.outcome == "fits"


@pytest.mark.req("INT-06")
async def test_a_caller_who_may_not_see_the_tool_can_not_try_it(described: Callable[..., Integration]) -> None:
    with pytest.raises(ToolNotFound):
        await trial(described(tools={"disabled": ["list_books"]}), "list_books")
    async with Gateway([described(agents=["clerk"])]) as gateway:
        with pytest.raises(ToolNotFound):
            await gateway.test_call(Call(name="list_books", caller=Caller(agent="other")), "shop")


@pytest.mark.req("INT-06")
async def test_what_the_policy_denies_stays_denied(described: Callable[..., Integration]) -> None:
    async with Gateway([described()], policy=lambda _call, _tool: Deny(reason="never")) as gateway:
        tried = await gateway.test_call(Call(name="list_books"), "shop", confirm=True)

    failure = error_of(tried.answer)
    assert failure is not None
    assert (failure.code, tried.request) == ("policy_denied", "")


async def test_arguments_are_checked_before_anything_is_sent(described: Callable[..., Integration]) -> None:
    with pytest.raises(InvalidArguments):
        await trial(described(), "list_books", limit="many")


async def test_operations_by_hand_have_no_description_to_judge_by(books: Books) -> None:
    tried = await trial(Integration(**books()), "list_books")

    assert (tried.status, tried.verdict.outcome) == (200, "unjudged")


def answers(schema: dict[str, Any], **responses: Any) -> Any:
    ok = {"description": "", "content": {"application/json": {"schema": schema}}}
    paths = {"/things/{id}": {"get": {"operationId": "look", "responses": {"200": ok, **responses}}}}
    document = Document.parse({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths})
    return answers_document(document, read_operations(document)[0])


SKU = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string", "pattern": "^[a-z]+$"}}}


@pytest.mark.req("INT-06", "OAS-15")
@pytest.mark.parametrize(
    ("status", "kind", "content", "said"),
    [
        (200, "application/json", b"{}", "'sku' is a required property"),
        (200, "application/json", b'{"sku": 4}', "/sku: 4 is not of type 'string'"),
        (200, "application/json", b'{"sku": "A"}', "/sku: 'A' is not a 'text of the pattern"),
        (200, "application/json", b"{", "deserialize"),
        (200, "text/html", b"<p>", "text/html"),
        (500, "application/json", b"{}", "500"),
    ],
)
def test_an_answer_that_is_not_as_described_differs(status: int, kind: str, content: bytes, said: str) -> None:
    verdict = judge_answer(answers(SKU), status=status, kind=kind, content=content)

    assert verdict.outcome == "differs"
    assert said in verdict.problems[0]


@pytest.mark.req("OAS-15")
def test_the_strict_schema_takes_what_is_described() -> None:
    kind = "application/json; charset=utf-8"

    assert judge_answer(answers(SKU), status=200, kind=kind, content=b'{"sku": "a"}').outcome == "fits"


def test_a_pattern_that_never_ends_is_judged_at_once() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    content = b'{"a": "' + b"a" * 60 + b'!"}'

    assert judge_answer(answers(schema), status=200, kind="application/json", content=content).outcome == "differs"


def test_a_reference_to_elsewhere_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"type": "string"}')
    schema = {"$ref": (tmp_path / "schema.json").as_uri()}

    assert "file:" not in str(answers(schema))


def test_an_mcp_tool_is_judged_by_its_output_schema() -> None:
    tool = Tool(name="t", output_schema={"type": "object", "properties": {"n": {"type": "integer"}}})

    assert judge_tool(tool, {"n": 1}).outcome == "fits"
    assert judge_tool(tool, {"n": "1"}).outcome == "differs"
    assert judge_tool(tool, None).outcome == "differs"
    assert judge_tool(Tool(name="t"), {}).outcome == "unjudged"


@pytest.mark.req("INT-06")
async def test_a_tool_of_an_mcp_server_is_tried_too() -> None:
    look = Tool(name="look", access="read", extra={"annotations": {"readOnlyHint": True}})
    fake = FakeUpstream.from_tools([look, Tool(name="drop", access="write")])
    async with fake.listening() as url:
        record = Integration(name="up", protocol="mcp", url=f"{url}/mcp", trusted=True)
        with pytest.raises(ConfirmationRequired):
            await trial(record, "drop")
        assert not fake.called
        tried = await trial(record, "look")

    assert '"name": "look"' in tried.request
    assert (tried.status, tried.verdict.outcome) == (None, "unjudged")


@pytest.mark.req("INT-06", "INT-08")
async def test_the_host_decides_on_it_as_an_action_of_management(store: Store, books: Books) -> None:
    asked: list[str] = []

    def rule(_caller: Caller, wanted: Management) -> bool:
        asked.append(wanted.action)
        return wanted.action != "test_call"

    integrations = Integrations(store, authorize=rule, system=[Integration(**books())])
    async with Gateway(integrations) as gateway:
        with pytest.raises(NotAllowed):
            await gateway.test_call(Call(name="list_books", caller=Caller(tenant="acme")), "books")
    assert "test_call" in asked


@pytest.mark.req("INT-06", "VAULT-03")
async def test_a_verdict_does_not_say_back_a_credential(shop_file: Path) -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    body = b'{"title": ["s3cret-credential"]}'
    fake.always(Fault.status(404, body=body, headers={"content-type": "application/problem+json"}))
    async with fake.listening() as url:
        auth = {"type": "bearer", "token": "s3cret-credential"}
        record = Integration(name="shop", protocol="rest", openapi=str(shop_file), base_url=url, auth=auth)
        tried = await trial(record, "get_book", isbn="9780141439518")

    assert (tried.status, tried.verdict.outcome) == (404, "differs")
    assert "/title" in tried.verdict.problems[0]
    assert "s3cret" not in repr(tried)
