"""What can be defined, and what is refused when it is defined."""

from __future__ import annotations

from typing import Any, Literal

import httpx2
import jsonschema_rs
import pytest

from mcpbridge.auth.static import Bearer
from mcpbridge.integrations.auth import AuthRecord, register_auth, revealed
from mcpbridge.integrations.credential import Credential, Stored
from mcpbridge.integrations.errors import InvalidRecord
from mcpbridge.integrations.record import (
    Integration,
    McpIntegration,
    RestIntegration,
    integration_schema,
    read_integration,
)
from mcpbridge.secret import Secret

REST: dict[str, Any] = {"name": "tickets", "protocol": "rest", "openapi": "https://tickets.example/openapi.json"}
MCP: dict[str, Any] = {"name": "linear", "protocol": "mcp", "url": "https://mcp.linear.example/mcp"}
CHILD: dict[str, Any] = {"name": "files", "protocol": "mcp", "transport": "stdio", "command": "uvx"}
PING = {"name": "ping", "method": "GET", "path": "/ping"}
CANARY = "s3same-canary"

FULL: dict[str, Any] = {
    "name": "github",
    "display_name": "GitHub",
    "description": "Repositories and issues",
    "category": "version_control",
    "logo_url": "https://github.example/logo.svg",
    "protocol": "rest",
    "openapi": "./github.json",
    "base_url": "https://api.github.com",
    "headers": {"X-Tenant": "acme"},
    "auth": {"type": "bearer", "prefix": "Token", "token": CANARY},
    "enabled": True,
    "trusted": True,
    "visibility": "private",
    "owner": "ada",
    "agents": ["*"],
    "skills": {"triage": ["issues_*"]},
    "teams": ["platform"],
    "environments": ["staging", "production"],
    "windows": [{"zone": "Europe/Berlin", "days": ["mon", "fri"], "from": "08:00", "to": "18:00"}],
    "tools": {"enabled": [], "disabled": ["repos_delete"], "off": [], "approval": {"issues_create": "ask"}},
    "limits": {"deadline": 10, "answer": 4096},
}


def refused(record: object) -> str:
    with pytest.raises(InvalidRecord) as raised:
        read_integration(record)
    assert CANARY not in f"{raised.value} {raised.value.problems}"
    return str(raised.value)


@pytest.mark.req("VIS-03")
def test_every_field_of_an_entry_is_kept() -> None:
    record = read_integration(FULL)
    shown = record.model_dump(mode="json")

    assert isinstance(record, RestIntegration)
    expected = {**FULL, "auth": {**FULL["auth"], "token": "********"}}
    assert {name: shown[name] for name in FULL} == expected


def test_the_protocol_decides_which_record_it_is() -> None:
    assert isinstance(Integration(**MCP), McpIntegration)
    assert isinstance(Integration(**REST), RestIntegration)
    assert read_integration(Integration(**MCP)) == Integration(**MCP)


def test_a_record_says_all_agents_in_writing() -> None:
    assert Integration(**REST).agents == ("*",)


@pytest.mark.req("INT-02", "ATK-34")
@pytest.mark.parametrize(
    "name",
    [
        "GitHub",
        "g\u0456thub",
        "\uff47ithub",
        "git\u200bhub",
        "git__hub",
        "git--hub",
        "-a",
        "a-",
        "1a",
        "",
        "a" * 33,
        "x\n",
    ],
)
def test_a_name_is_a_slug_in_ascii_or_refused(name: str) -> None:
    assert "name: " in refused({**REST, "name": name})


CONTRADICTIONS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({**REST, "auth": {"type": "none", "token": CANARY}}, ("auth.token", "'auth.type' is 'none'")),
    ({**CHILD, "headers": {"X": "y"}}, ("headers", "'stdio'", "'env'")),
    ({**CHILD, "auth": {"type": "bearer", "token": CANARY}}, ("auth", "'stdio'", "'env'")),
    ({**CHILD, "url": "https://x.example"}, ("url", "'stdio'")),
    ({**MCP, "command": "uvx", "env": {"A": CANARY}}, ("command", "env", "'http'", "'stdio'")),
    ({**REST, "visibility": "private"}, ("owner", "'private'")),
    ({**REST, "owner": "ada"}, ("owner", "'shared'")),
    ({**REST, "agents": []}, ("agents", "['*']")),
    ({**REST, "operations": [PING]}, ("operations", "'openapi'")),
    ({"name": "a", "protocol": "rest", "operations": [PING]}, ("base_url", "'operations'")),
    ({"name": "a", "protocol": "rest"}, ("openapi", "'operations'")),
    ({"name": "a", "protocol": "mcp"}, ("url", "'http'")),
    ({**CHILD, "command": None}, ("command", "'stdio'")),
    ({**REST, "url": "https://x.example"}, ("url", "'mcp'", "'rest'")),
    ({**MCP, "base_url": "https://x.example"}, ("base_url", "'rest'", "'mcp'")),
    ({**REST, "windows": [{"zone": "UTC", "from": "08:00", "to": "08:00"}]}, ("windows.0.to", "'from'")),
]


@pytest.mark.req("INT-02")
@pytest.mark.parametrize(("record", "words"), CONTRADICTIONS, ids=lambda value: str(value)[:40])
def test_what_contradicts_itself_is_refused_with_both_fields_named(
    record: dict[str, Any], words: tuple[str, ...]
) -> None:
    message = refused({name: value for name, value in record.items() if value is not None})

    assert [word for word in words if word not in message] == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"base_ulr": "https://x"}, "did you mean 'base_url'?"),
    ({"auth": {"type": "bearer", "tokn": CANARY}}, "auth.tokn: .* did you mean 'token'"),
    ({"auth": {"type": "baerer", "token": CANARY}}, "did you mean 'bearer'"),
    ({"auth": {"type": "quantum"}}, "there are: none, bearer, api_key, basic, headers"),
    ({"auth": "bearer"}, "auth: must be an object"),
    ({"auth": {"type": "bearer", "token": ""}}, "auth.token: must not be empty"),
    ({"auth": {"type": "bearer", "token": f"{CANARY}\n"}}, "auth.token: a secret must not hold CR"),
    ({"auth": {"type": "bearer", "token": f"{CANARY}é"}}, "auth: a bearer token must be ASCII"),
    ({"auth": {"type": "bearer", "token": 5}}, "auth.token: must be text, not int"),
    ({"auth": {"type": "bearer", "token": {"set": False}}}, "auth.token: must be text, or"),
    ({"auth": {"type": "basic", "user": "a:b", "password": CANARY}}, "auth: Basic: a user name can't hold a colon"),
    ({"base_url": "ftp://x"}, "base_url: must be an absolute URL"),
    ({"base_url": "https://"}, "base_url: must be an absolute URL"),
    ({"base_url": "https://x:port"}, "base_url: must be an absolute URL"),
    ({"base_url": "https://a b"}, "base_url: must be an absolute URL"),
    ({"base_url": f"https://ada:{CANARY}@x.example"}, "base_url: must hold no user name or password"),
    ({"base_url": "https://x.example/#a"}, "base_url: must have no fragment"),
    ({"base_url": "https://{host}/a"}, "base_url: must hold no variable"),
    ({"logo_url": "javascript:alert(1)"}, "logo_url: must be an absolute URL"),
    ({"headers": {"Host": "x"}}, "headers: can't set 'Host'"),
    ({"headers": {"X\r\nY": "x"}}, "headers: .* is no name of a header"),
    ({"headers": {"X": "a\r\nY: b"}}, "headers: header 'X' can't be sent"),
    ({"headers": ["X"]}, "headers: must be an object"),
    ({"headers": {f"X{number}": "y" for number in range(101)}}, "100 are the most"),
    ({"display_name": "Git\u202eHub"}, "display_name: holds control or invisible"),
    ({"windows": [{"zone": "Mars/Base", "from": "08:00", "to": "09:00"}]}, "windows.0.zone: is no time zone"),
    ({"windows": [{"zone": "../../etc/passwd", "from": "08:00", "to": "09:00"}]}, "windows.0.zone: is no time zone"),
    ({"windows": [{"zone": "UTC", "from": "8", "to": "09:00"}]}, "windows.0.from: "),
    ({"tools": {"approval": {"a": "never"}}}, "tools.approval.a: "),
    ({"tools": {"of": ["a"]}}, "tools.of: is no field here"),
    ({"limits": {"deadlin": 3}}, "limits: 'deadlin' is no limit; did you mean 'deadline'"),
    ({"limits": {"deadline": 0}}, r"limits: Limits\(deadline=0"),
    ({"enabled": "perhaps"}, "enabled: "),
    ({"protocol": "soap"}, "protocol: input should be 'rest' or 'mcp'"),
    ({"self": 1}, "self: is no field"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_malformed_is_told_with_its_field_and_the_next_step(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRecord, match=said) as raised:
        Integration(**{**REST, **change})
    assert CANARY not in f"{raised.value} {raised.value.problems}"


@pytest.mark.parametrize("record", [None, "github", 5, ["name"], {5: "a"}])
def test_what_is_no_record_at_all_is_said_so(record: object) -> None:
    assert "invalid integration" in refused(record)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidRecord) as raised:
        Integration(protocol="rest", agents=5, colour="red")

    assert [problem.field for problem in raised.value.problems] == ["name", "agents", "colour"]


def test_operations_by_hand_are_checked_when_they_are_given() -> None:
    hand = {"name": "tickets", "protocol": "rest", "base_url": "https://tickets.example"}

    assert "operations.0: the path 'ping'" in refused({**hand, "operations": [{**PING, "path": "ping"}]})
    assert "operations.1.name: 'ping' is there twice" in refused({**hand, "operations": [PING, PING]})
    record = read_integration({**hand, "operations": [{**PING, "query": {"a": {"type": "string"}}}]})
    assert isinstance(record, RestIntegration)
    assert record.operations[0].operation().name == "ping"


@pytest.mark.parametrize(
    ("auth", "name"),
    [
        ({"type": "bearer", "token": "t"}, "Bearer"),
        ({"type": "api_key", "value": "k", "name": "X-Key", "in": "query"}, "ApiKey"),
        ({"type": "basic", "user": "ada", "password": "p"}, "Basic"),
        ({"type": "headers", "headers": {"DD-API-KEY": "k"}}, "Headers"),
        ({"type": "none"}, "NoneType"),
    ],
)
def test_a_record_of_auth_becomes_its_strategy(auth: dict[str, Any], name: str) -> None:
    assert type(Integration(**REST, auth=auth).auth.strategy()).__name__ == name


def test_a_credential_in_the_vault_is_no_strategy_yet() -> None:
    with pytest.raises(ValueError, match=r"Integrations\.revealed"):
        revealed(Stored())


class LaterAuth(AuthRecord, frozen=True):
    type: Literal["later"]
    ticket: Credential

    def strategy(self) -> httpx2.Auth:
        return Bearer(revealed(self.ticket))


def test_a_kind_of_auth_that_is_registered_can_be_named() -> None:
    register_auth(LaterAuth)
    record = Integration(**REST, auth={"type": "later", "ticket": CANARY})

    assert isinstance(record.auth, LaterAuth)
    assert "LaterAuth" in str(integration_schema())


@pytest.mark.req("VAULT-03")
def test_no_way_of_showing_a_record_shows_its_credentials() -> None:
    hidden = {"X-Api-Key": CANARY, "Authorization": CANARY, "X-Tenant": "acme"}
    record = Integration(**MCP, headers=hidden, auth={"type": "headers", "headers": {"A": CANARY}})

    shown = f"{record!r} {record} {record.model_dump()} {record.model_dump_json()} {record.auth!r}"
    assert CANARY not in shown
    assert "acme" in shown
    assert Integration(**CHILD, env={"KEY": CANARY}).model_dump(mode="json")["env"] == {"KEY": "********"}


def test_records_are_equal_by_their_credentials_too() -> None:
    one, other = (Integration(**REST, auth={"type": "bearer", "token": Secret(text)}) for text in ("a", "b"))

    assert one != other
    assert one == Integration(**REST, auth={"type": "bearer", "token": "a"})


@pytest.mark.parametrize(("record", "fits"), [(FULL, True), (MCP, True), (CHILD, True), ({**MCP, "colour": 1}, False)])
def test_the_schema_for_editors_judges_as_the_record_does(record: dict[str, Any], fits: bool) -> None:
    assert jsonschema_rs.Draft202012Validator(integration_schema()).is_valid(record) is fits
