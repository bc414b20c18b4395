"""Which authorization server a resource has, and which documents of it are believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority import Authority
from logins import Heard
from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.checks import Unsound, checked_issuer, checked_url, local_path
from mcpbridge.auth.oauth.discovery import Discovery, Found, Named
from mcpbridge.auth.oauth.metadata import read_resource, read_server, resource_places, server_places
from mcpbridge.auth.oauth.values import AuthorizationServer
from mcpbridge.errors import ConfigError, UpstreamError
from mcpbridge.net.guard import Guard

RESOURCE = "https://notes.example/mcp"
ISSUER = "https://auth.example/tenant1"
WELL = "/.well-known"


def metadata(**changes: Any) -> dict[str, Any]:
    told = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "code_challenge_methods_supported": ["S256"],
    }
    return told | changes


class Web:
    """Documents by URL; everything else is 404. `asked` lists what was looked for."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        page = self.pages.get(str(request.url), httpx2.Response(404))
        return page if isinstance(page, httpx2.Response) else httpx2.Response(200, content=json.dumps(page))


def find(web: Web, named: Named, heard: Heard | None = None) -> Found:
    channel = Channel(named=named.urls(), transport=httpx2.MockTransport(web.answer))
    return asyncio.run(Discovery(named, channel, integration="notes", listener=heard).find())


PLACES = [
    "https://auth.example/.well-known/oauth-authorization-server/tenant1",
    "https://auth.example/.well-known/openid-configuration/tenant1",
    "https://auth.example/tenant1/.well-known/openid-configuration",
]


@pytest.mark.req("AUTH-07")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "prm", [f"https://notes.example{WELL}/oauth-protected-resource{path}" for path in ("/mcp", "")]
)
def test_metadata_is_found_at_every_place_of_the_standards(place: str, prm: str) -> None:
    resource = {"resource": RESOURCE, "authorization_servers": [ISSUER], "scopes_supported": ["read"]}
    web = Web({prm: resource, place: metadata()})

    found = find(web, Named(resource=RESOURCE))

    assert (found.server.issuer, found.resource, [*found.scopes]) == (ISSUER, RESOURCE, ["read"])
    assert web.asked[-1] == place


@pytest.mark.req("AUTH-07")
def test_the_place_that_a_challenge_names_is_looked_at_where_the_known_ones_are_empty() -> None:
    told = 'Bearer resource_metadata="https://notes.example/meta"'
    web = Web(
        {
            RESOURCE: httpx2.Response(401, headers={"WWW-Authenticate": told}),
            "https://notes.example/meta": {"resource": RESOURCE, "authorization_servers": [ISSUER]},
            PLACES[0]: metadata(),
        }
    )

    assert find(web, Named(resource=RESOURCE)).server.issuer == ISSUER


@pytest.mark.req("AUTH-07")
def test_a_resource_that_publishes_nothing_may_be_its_own_issuer() -> None:
    own = "https://notes.example"
    told = metadata(issuer=own, token_endpoint=f"{own}/token", authorization_endpoint=f"{own}/authorize")
    web = Web({f"{own}{WELL}/oauth-authorization-server": told})

    assert find(web, Named(resource=RESOURCE)).server.issuer == own


@pytest.mark.req("AUTH-07")
def test_an_issuer_that_the_host_names_skips_every_probe_and_each_use_is_told() -> None:
    heard, web = Heard(), Web({PLACES[0]: metadata()})

    found = find(web, Named(resource=RESOURCE, issuer=ISSUER), heard)

    assert found.server.token_endpoint == f"{ISSUER}/token"
    assert web.asked == [PLACES[0]]
    assert [(event.kind, event.integration, event.server) for event in heard.events] == [
        ("issuer_override", "notes", ISSUER)
    ]


@pytest.mark.req("ATK-40")
@pytest.mark.parametrize("status", [500, 503, 429, 302])
def test_metadata_that_can_not_be_had_now_lets_no_other_server_in(status: int) -> None:
    own = "https://notes.example"
    web = Web(
        {
            f"{own}{WELL}/oauth-protected-resource/mcp": httpx2.Response(status),
            f"{own}{WELL}/oauth-authorization-server": metadata(issuer=own),
        }
    )

    with pytest.raises(UpstreamError):
        find(web, Named(resource=RESOURCE))

    assert len(web.asked) == 1


@pytest.mark.req("ATK-40")
@pytest.mark.parametrize(
    "change",
    [
        {"resource": "https://evil.example/mcp"},
        {"resource": "https://notes.example/other"},
        {"resource": "https://notes.example/m"},
        {"resource": "http://notes.example/mcp"},
        {"resource": None},
        {"authorization_servers": []},
        {"authorization_servers": ["http://auth.example"]},
        {"authorization_servers": ["https://user@auth.example"]},
        {"authorization_servers": ["https://auth.example#x"]},
        {"authorization_servers": ["https://auth.example?x=1"]},
        {"authorization_servers": [7]},
    ],
    ids=str,
)
def test_metadata_of_another_resource_or_with_an_unsound_issuer_is_refused(change: dict[str, Any]) -> None:
    told = {"resource": RESOURCE, "authorization_servers": [ISSUER]} | change

    with pytest.raises(Unsound):
        read_resource(json.dumps(told).encode(), RESOURCE)


@pytest.mark.req("ATK-40")
@pytest.mark.parametrize("resource", [RESOURCE, "https://notes.example", "https://NOTES.example:443/mcp/"])
def test_metadata_of_the_resource_or_of_a_parent_of_it_is_read(resource: str) -> None:
    told = {"resource": resource, "authorization_servers": [ISSUER]}

    assert read_resource(json.dumps(told).encode(), RESOURCE).issuers == [ISSUER]


@pytest.mark.req("ATK-40", "ATK-41")
@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://auth.example"},
        {"issuer": f"{ISSUER}/"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://auth.example/token"},
        {"revocation_endpoint": "http://127.0.0.1/x"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "http://x;calc.exe"},
        {"authorization_endpoint": "https://x;calc.exe/"},
        {"authorization_endpoint": "--flag"},
        {"authorization_endpoint": "https://--flag/"},
        {"authorization_endpoint": "https://a.example/\r\nX: y"},
        {"authorization_endpoint": "https://a.example/`id`"},
        {"authorization_endpoint": "https://user:pw@a.example/"},
        {"authorization_endpoint": "https://a.example/#x"},
        {"authorization_endpoint": ["https://a.example/"]},
    ],
    ids=str,
)
def test_metadata_of_another_issuer_or_with_an_unsound_endpoint_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unsound) as caught:
        read_server(json.dumps(metadata() | change).encode(), ISSUER)

    assert "calc" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"<html>", b"\xff", b"[" * 100_000])
def test_a_document_that_is_no_metadata_is_refused(content: bytes) -> None:
    with pytest.raises(Unsound):
        read_server(content, ISSUER)


@pytest.mark.req("AUTH-07")
def test_places_of_an_issuer_with_and_without_a_path() -> None:
    assert [*server_places(ISSUER)] == PLACES
    assert [*server_places("https://auth.example/")] == [
        f"https://auth.example{WELL}/oauth-authorization-server",
        f"https://auth.example{WELL}/openid-configuration",
    ]
    assert [*resource_places("https://notes.example")] == [f"https://notes.example{WELL}/oauth-protected-resource"]


@pytest.mark.req("ATK-42")
@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "metadata.internal"])
async def test_metadata_that_leads_inside_is_not_connected_to(inside: str) -> None:
    """The resource is public by name; what it names goes through the guard."""
    channel = Channel(named=[RESOURCE])

    with pytest.raises(UpstreamError) as caught:
        await channel.get(f"https://{inside}/.well-known/oauth-authorization-server")

    assert caught.value.failure.code in {"address_refused", "auth_unavailable"}
    assert channel.loopback is False


@pytest.mark.req("ATK-42")
async def test_a_guard_holds_for_addresses_that_a_record_names(authority: Authority) -> None:
    named = Named(issuer=authority.url)
    channel = Channel(named=named.urls(), guard=Guard())

    with pytest.raises(UpstreamError) as caught:
        await Discovery(named, channel).find()

    assert caught.value.failure.code == "address_refused"
    assert "issuer" in caught.value.failure.hint


@pytest.mark.req("ATK-42")
def test_a_redirect_of_metadata_stays_on_its_origin() -> None:
    moved = httpx2.Response(302, headers={"location": "https://evil.example/"})
    web = Web({PLACES[0]: moved, "https://evil.example/": metadata()})

    with pytest.raises(UpstreamError):
        find(web, Named(issuer=ISSUER))

    assert web.asked == [PLACES[0]]


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"issuer": "http://auth.example"},
        {"issuer": "https://auth.example?x=1"},
        {"resource": "notes.example"},
        {"issuer": ISSUER, "server": AuthorizationServer(token_endpoint="https://a.example/")},
        {"server": AuthorizationServer(token_endpoint="http://a.example/")},
    ],
    ids=str,
)
def test_what_the_host_names_is_checked_when_it_is_named(named: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Named(**named)


@pytest.mark.req("ATK-41")
@given(st.text(max_size=60))
def test_a_url_that_is_taken_is_plain_https(text: str) -> None:
    for url in (text, f"https://{text}", f"https://a.example/{text}"):
        try:
            taken = checked_url("it", url)
        except Unsound:
            continue
        assert httpx2.URL(taken).scheme == "https"
        assert taken.isascii()
        assert not {*taken} & {*" \r\n\t\"'`<>\\|^{}"} - {"'"}


@pytest.mark.req("ATK-44")
@given(st.text(alphabet="/\\:abc.?#\r\n\t @%", max_size=12))
def test_a_local_path_stays_on_its_origin(text: str) -> None:
    if local_path(text):
        assert httpx2.URL("https://own.example/x").join(text).host == "own.example"
        assert "\\" not in text


def test_an_issuer_has_no_query() -> None:
    with pytest.raises(Unsound, match="no query"):
        checked_issuer("issuer", "https://a.example?x")
