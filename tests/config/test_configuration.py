"""A gateway in a file: what it says, and what it may not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # the oracle has no stubs installed
import pytest

from mcpbridge.config.configuration import Configuration, read_configuration
from mcpbridge.config.schema import configuration_schema
from mcpbridge.errors import ConfigError
from mcpbridge.integrations.auth import ApiKeyAuth, BearerAuth
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration
from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.text import load_text
from mcpbridge.secret import Secret

Read = Callable[..., Configuration]
ENVIRONMENT = {"GITHUB_TOKEN": "ghp_secret", "HOST": "example.com"}

WHOLE = """\
vault: {keys: [env:MCPBRIDGE_KEY]}
store: sqlite:///gateway.db
policy: ask_always
allowed: ["*.corp.example", 10.0.0.0/8]
integrations:
  - name: github
    display_name: GitHub
    category: version_control
    protocol: rest
    openapi: ./github.json
    base_url: https://api.github.com
    headers: {X-Tenant: acme}
    auth: {type: bearer, prefix: Token, token: ${GITHUB_TOKEN}}
    trusted: true
    agents: ["*"]
    skills: {triage: ["issues_*"]}
    windows: [{zone: Europe/Berlin, days: [mon, fri], from: "08:00", to: "18:00"}]
    tools:
      disabled: [repos_delete]
      off: []
      approval: {issues_create: ask}
  - name: tickets
    protocol: rest
    base_url: https://tickets.example.com
    auth: {type: api_key, in: header, name: X-Key, value: secret://tickets/key}
    operations:
      - {name: list_tickets, method: GET, path: /tickets, query: {status: {enum: [open, closed]}}}
  - name: linear
    protocol: mcp
    url: https://mcp.${HOST}/mcp
    transport: http
    auth: {type: oauth2, issuer: https://auth.example.com, scopes: "read offline_access"}
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str, name: str = "gateway.yaml") -> Configuration:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return read_configuration(path, environment=ENVIRONMENT, secrets=lambda name: f"the secret of {name}")

    return reading


def problems(read: Read, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.req("GW-10")
def test_a_file_says_what_is_served_and_where_things_are_kept(read: Read, tmp_path: Path) -> None:
    found = read(WHOLE)
    github, tickets, linear = found.integrations

    assert found.store == Secret("sqlite:///gateway.db")
    assert (found.vault, found.policy) == (("env:MCPBRIDGE_KEY",), "ask_always")
    assert found.allowed == ("*.corp.example", "10.0.0.0/8")
    assert isinstance(github, RestIntegration)
    assert github.openapi == str(tmp_path / "github.json")
    assert github.tools.approval == {"issues_create": "ask"}
    assert isinstance(tickets, RestIntegration)
    assert tickets.operations[0].name == "list_tickets"
    assert isinstance(linear, McpIntegration)
    assert linear.url == "https://mcp.example.com/mcp"


@pytest.mark.req("GW-10")
def test_credentials_come_from_the_environment_and_from_where_secrets_are(read: Read) -> None:
    github, tickets, _ = read(WHOLE).integrations

    assert isinstance(github.auth, BearerAuth)
    assert github.auth.token == Secret("ghp_secret")
    assert isinstance(tickets.auth, ApiKeyAuth)
    assert tickets.auth.value == Secret("the secret of tickets/key")


def test_a_default_stands_in_for_what_the_environment_lacks(read: Read) -> None:
    found = read("integrations: [{name: a, protocol: mcp, url: 'https://${NONE:-a.example}/mcp'}]").integrations[0]

    assert isinstance(found, McpIntegration)
    assert found.url == "https://a.example/mcp"


def test_secrets_are_files_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/key").write_text("from a file\n")
    path = tmp_path / "gateway.yaml"
    path.write_text(
        "integrations: [{name: a, protocol: mcp, url: 'https://a.example', auth: {type: bearer, token: secret://api/key}}]"
    )
    auth = read_configuration(path, environment={"MCPBRIDGE_SECRETS": str(tmp_path)}).integrations[0].auth

    assert isinstance(auth, BearerAuth)
    assert auth.token == Secret("from a file")


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "a//b", "", "nothing/here"])
def test_a_secret_outside_the_folder_or_missing_is_refused(tmp_path: Path, path: str) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"store: 'secret://{path}'")

    with pytest.raises(ConfigError, match="store: refers to secret://"):
        read_configuration(file, environment={"MCPBRIDGE_SECRETS": str(tmp_path / "none")})


@pytest.mark.req("GW-10")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("integration: []", "integration: is no key of a configuration: did you mean 'integrations'?"),
        ("integrations: {}", "integrations: must be a list"),
        ("integrations: [5]", "integrations.0: must be an object"),
        (
            "integrations: [{name: a, protocol: rest, base_ulr: x}]",
            "integrations.0 (a): base_ulr: is no field of an integration: did you mean 'base_url'?",
        ),
        (
            "integrations: [{name: a, protocol: mcp, url: 'https://a.example', transport: htpp}]",
            "integrations.0 (a): transport: input should be 'http', 'sse' or 'stdio'",
        ),
        (
            "integrations: [{name: a, protocol: mcp, url: 'https://a.example', auth: {type: baerer, token: x}}]",
            "integrations.0 (a): auth: has no known type; did you mean 'bearer'?",
        ),
        (
            "integrations: [{name: a, protocol: mcp, url: 'https://a.example/${NOBODY}'}]",
            "integrations.0.url: uses ${NOBODY}, which the environment does not have",
        ),
        ("store: 5", "store: must be a URL"),
        ("policy: none", "policy: must be one of reads_run_writes_ask"),
        ("vault: {key: x}", "vault: must be an object with keys"),
        ("vault: {keys: [env:A]}", "there is no store"),
        ("vault: {keys: env:A}\nstore: ':memory:'", "vault.keys: must be a list of texts"),
        ("allowed: ['*']", "allowed: '*' is no host name"),
        ("# nothing", "is empty"),
        ("- 1", "must be an object with vault, store"),
        ("store: a\n---\nstore: b", "document 2: only one document may be"),
        ("integrations: [{name: a", "(line 2)"),
    ],
)
def test_what_is_wrong_says_where_and_what_was_meant(read: Read, text: str, said: str) -> None:
    told = problems(read, text)

    assert said in told
    assert "gateway.yaml: " in told
    assert "\n" not in told


def test_every_problem_is_told_at_once_and_no_value(read: Read) -> None:
    told = problems(read, "stroe: x\nintegrations: [{name: A, protocol: mcp, url: 'https://user:pa55@h'}, {name: b}]")

    assert told.count(";") >= 2
    assert "pa55" not in told


def test_one_name_twice_is_refused(read: Read) -> None:
    one = "{name: a, protocol: mcp, url: 'https://a.example'}"

    assert "integrations.1: 'a' is there twice" in problems(read, f"integrations: [{one}, {one}]")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: can't be read"):
        read_configuration(tmp_path / "none.yaml")


def test_json_is_read_too(read: Read) -> None:
    text = '{"integrations": [{"name": "a", "protocol": "mcp", "url": "https://${HOST}/mcp"}]}'

    assert read(text, "gateway.json").integrations[0].name == "a"


def _errors(text: str) -> Sequence[Any]:
    schema = configuration_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    value = load_text(text.replace("${GITHUB_TOKEN}", "x"), ReadLimits(), Deadline(10.0))
    validator: Any = jsonschema.Draft202012Validator(schema)
    return [*validator.iter_errors(value)]


@pytest.mark.req("GW-10")
def test_the_schema_for_editors_takes_what_is_right_and_nothing_else() -> None:
    assert _errors(WHOLE.replace("https://mcp.${HOST}/mcp", "https://mcp.example.com/mcp")) == []
    assert _errors("stroe: x")
    assert _errors("integrations: [{name: a, protocol: mcp, base_url: 'https://a.example'}]")


def manifest(read: Read, spec: str, name: str = "linear") -> Integration:
    text = f"apiVersion: mcp.example.com/v1\nkind: MCPServer\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    return read(text).integrations[0]


@pytest.mark.req("GW-10")
def test_manifests_are_read_several_in_one_file(read: Read) -> None:
    text = """\
# two servers
---
apiVersion: mcp.example.com/v1
kind: MCPServer
metadata: {name: linear, namespace: tools}
spec:
  type: streamable-http
  url: https://mcp.linear.app/mcp
  headers: {X-Team: platform, Authorization: "Bearer ${GITHUB_TOKEN}"}
  timeout: 45s
  description: Issues
---
kind: MCPServer
metadata: {name: files-server}
spec:
  type: stdio
  command: uvx
  args: [mcp-server-files, /data]
  env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: files, key: token}}}]
  toolPrefix: files_
"""
    linear, files = read(text).integrations

    assert isinstance(linear, McpIntegration)
    assert (linear.transport, linear.limits, linear.description) == ("http", {"deadline": 45.0}, "Issues")
    assert linear.headers == {"X-Team": "platform", "Authorization": Secret("Bearer ghp_secret")}
    assert isinstance(files, McpIntegration)
    assert (files.name, files.command, files.args) == ("files", "uvx", ("mcp-server-files", "/data"))
    assert files.env == {"TOKEN": Secret("the secret of files/token")}


_ISSUER = "authorizationServer: {issuer: 'https://auth.example', scopes: [read, offline_access]}"
_EXCHANGE = "{tokenEndpoint: 'https://auth.example/token', clientId: gateway, clientSecret: 'secret://oauth/client'}"


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ("{type: none}", "none"),
        (f"{{type: oauth, {_ISSUER}}}", "oauth2"),
        ("{type: oauth}", "oauth2"),
        ("{type: oauth, forwardToken: true}", "token_forward"),
        (f"{{type: oauth, tokenExchange: {_EXCHANGE}}}", "token_exchange"),
    ],
)
def test_the_auth_of_a_manifest_is_that_of_a_record(read: Read, auth: str, kind: str) -> None:
    assert manifest(read, f"{{type: http, url: 'https://a.example/mcp', auth: {auth}}}").auth.type == kind


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{type: htpp, url: x}", "spec.type 'htpp' is no transport: did you mean 'http'?"),
        ("{url: x}", "spec.type is missing"),
        ("{type: http, ulr: x}", "spec.ulr is nothing that a manifest has; did you mean 'url'?"),
        ("{type: http, timeout: soon}", "spec.timeout must be seconds"),
        ("{type: http, headers: [x]}", "spec.headers must be an object of texts"),
        ("{type: stdio, command: x, env: [{name: A}]}", "spec.env 'A' has no value"),
        ("{type: http, auth: {type: basic}}", "spec.auth.type 'basic' is none"),
        ("{type: http, auth: {tpye: none}}", "spec.auth.tpye is nothing that a manifest has; did you mean 'type'?"),
        (
            "{type: http, auth: {type: oauth, forwardToken: true, authorizationServer: {issuer: 'https://a.example'}}}",
            "spec.auth.forwardToken and spec.auth.authorizationServer.issuer exclude each other",
        ),
        ("{type: stdio, command: x, url: 'https://a.example'}", "linear (linear): url: is given while transport"),
        ("5", "spec must be an object"),
    ],
)
def test_a_wrong_manifest_says_which_member_was_meant(read: Read, spec: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        manifest(read, spec)

    assert said in str(caught.value)


def test_other_kinds_of_manifests_are_refused(read: Read) -> None:
    assert "kind is 'Deployment'" in problems(read, "kind: Deployment\nmetadata: {name: a}\nspec: {}")
