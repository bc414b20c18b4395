from __future__ import annotations

from typing import Any

import pytest
from hand import operation

from mcpbridge.openapi.servers import first_server, moved, operation_base, origin_of, placed


@pytest.mark.req("OAS-16")
@pytest.mark.parametrize(
    ("root", "url"),
    [
        ({"servers": [{"url": "https://a.example/v1"}, {"url": "https://b.example"}]}, "https://a.example/v1"),
        (
            {
                "servers": [
                    {"url": "https://{r}.a.example/{v}", "variables": {"r": {"default": "eu"}, "v": {"default": 2}}}
                ]
            },
            "https://eu.a.example/2",
        ),
        ({"servers": [{"url": "https://{host}/"}]}, "https://{host}/"),
        ({"servers": [{"url": "/v1"}]}, "/v1"),
        ({"servers": []}, None),
        ({"paths": {"/a": {"servers": [{"url": "https://a.example"}], "get": {}}}}, "https://a.example"),
        ({"paths": {"/a": {"get": {"servers": [{"url": "https://a.example"}]}, "put": {}}}}, None),
        ({"paths": {"/a": {"servers": [{"url": "https://a.example"}], "get": {}}, "/b": {"get": {}}}}, None),
        ({"servers": ["https://a.example"]}, None),
        ({"servers": [{"url": 5}]}, None),
        ({}, None),
        (
            {"swagger": "2.0", "host": "a.example", "basePath": "/v1", "schemes": ["http", "https"]},
            "https://a.example/v1",
        ),
        ({"swagger": "2.0", "host": "a.example", "schemes": ["http"]}, "http://a.example"),
        ({"swagger": "2.0", "host": "a.example:8080", "basePath": "/"}, "https://a.example:8080"),
        ({"swagger": "2.0", "basePath": "/v1"}, "/v1"),
        ({"swagger": "2.0"}, None),
    ],
)
def test_the_first_server_is_read_with_its_defaults(root: dict[str, Any], url: str | None) -> None:
    assert first_server(root) == url


@pytest.mark.req("OAS-16")
@pytest.mark.parametrize(
    ("own", "first", "base", "called"),
    [
        (None, "https://a.example/v1", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("https://a.example/v1", "https://a.example/v1", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("https://a.example/v1/up", "https://a.example/v1", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x/up"),
        ("https://a.example:443/v2", "https://a.example/v1", "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v2"),
        ("https://a.example/v2", "https://a.example/v1", "http://127.0.0.1:9", "http://127.0.0.1:9/v2"),
        ("https://a.example/v2", "https://a.example/v1", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("/v2", "https://a.example/v1", "http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v2"),
        ("/v2", None, "http://127.0.0.1:9/x", "http://127.0.0.1:9/x/v2"),
        ("/v1/up", "/v1", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x/up"),
        ("https://other.example", "https://a.example/v1", "http://127.0.0.1:9/x", None),
        ("//other.example/", "https://a.example/v1", "http://127.0.0.1:9/x", None),
        ("https://a.example:8443/v1", "https://a.example/v1", "http://127.0.0.1:9/x", None),
        ("http://a.example/v1", "https://a.example/v1", "http://127.0.0.1:9/x", None),
        ("https://b.example/v2", "https://a.example/v1", "https://b.example/x", "https://b.example/v2"),
    ],
)
def test_an_own_server_is_seen_from_the_base_url(
    own: str | None, first: str | None, base: str, called: str | None
) -> None:
    made = moved(operation(server=own), first=first, base_url=base)

    assert operation_base(made.server, base_url=base) == called


@pytest.mark.req("OAS-16")
def test_an_origin_that_the_host_agrees_to_is_called() -> None:
    agreed = {origin_of("https://up.example/x")}

    assert (
        operation_base("https://up.example/y", base_url="https://a.example", origins=agreed) == "https://up.example/y"
    )
    assert operation_base("https://up.example:1/y", base_url="https://a.example", origins=agreed) is None


MAPS = [operation(server="https://maps.example/v1"), operation(server="https://roads.example"), operation()]
ROOT = {"servers": [{"url": "https://maps.example/v1"}]}


def bases(base_url: str, root: dict[str, Any], *agreed: str) -> list[str | None]:
    origins = [origin_of(each) for each in agreed]
    made = placed(MAPS, root=root, base_url=base_url, agreed=origins)
    return [operation_base(each.server, base_url=base_url, origins=origins) for each in made]


@pytest.mark.req("OAS-16", "ATK-11")
@pytest.mark.parametrize("root", [ROOT, {"paths": {"/a": {**ROOT, "get": {}}}}])
def test_a_base_url_that_the_description_does_not_know_stands_in_for_all_its_servers(root: dict[str, Any]) -> None:
    moved_to = "http://127.0.0.1:9/x"
    assert bases(moved_to, root) == [moved_to, moved_to, moved_to]


@pytest.mark.req("OAS-16")
def test_a_base_url_of_the_descriptions_own_leaves_other_origins_without_consent() -> None:
    assert bases("https://maps.example/v1", ROOT) == ["https://maps.example/v1", None, "https://maps.example/v1"]


@pytest.mark.req("OAS-16")
def test_an_origin_that_the_host_agreed_to_is_called_wherever_the_base_url_is() -> None:
    assert bases("http://127.0.0.1:9", ROOT, "https://roads.example")[1] == "https://roads.example"
