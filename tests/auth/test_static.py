from __future__ import annotations

import base64
import logging
from functools import partial
from typing import Any, cast

import httpx2
import pytest

from mcpbridge.auth.static import ApiKey, Basic, Bearer, Headers
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret


def _one_header(value: str) -> Headers:
    return Headers({"X": value})


URL = "https://api.example.com/x?a=1&key=old&b=%20"


def signed(auth: httpx2.Auth, **headers: str) -> httpx2.Request:
    """The request that a client sends with the strategy."""
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    with httpx2.Client(transport=httpx2.MockTransport(answer), auth=auth) as client:
        client.get(URL, headers=headers)
    return sent[0]


@pytest.mark.req("AUTH-01")
@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (Bearer("t0k"), "authorization", "Bearer t0k"),
        (Bearer("t0k", prefix="Token"), "authorization", "Token t0k"),
        (Bearer("t0k", prefix=""), "authorization", "t0k"),
        (Bearer(Secret("t0k")), "authorization", "Bearer t0k"),
        (Bearer(lambda: Secret("t0k")), "authorization", "Bearer t0k"),
        (ApiKey("k3y", "X-Key"), "x-key", "k3y"),
        (ApiKey("k3y", "sid", where="cookie"), "cookie", "sid=k3y"),
        (Basic("user", "pass:word"), "authorization", "Basic " + base64.b64encode(b"user:pass:word").decode()),
        (Basic("usér", Secret("")), "authorization", "Basic " + base64.b64encode("usér:".encode()).decode()),
        (Headers({"X-A": "k3y", "X-B": Secret("other")}), "x-b", "other"),
    ],
)
def test_a_credential_goes_where_it_belongs(auth: httpx2.Auth, header: str, value: str) -> None:
    assert signed(auth).headers[header] == value


@pytest.mark.req("AUTH-01")
@pytest.mark.parametrize("value", ["k3y", "a b&c=d#%20", "a+b"])
def test_a_key_of_the_query_replaces_the_one_of_that_name(value: str) -> None:
    request = signed(ApiKey(value, "key", where="query"))

    assert httpx2.QueryParams(request.url.query).multi_items() == [("a", "1"), ("b", " "), ("key", value)]
    assert request.url.raw_path.startswith(b"/x?a=1&b=%20&key=")


@pytest.mark.req("AUTH-01", "ATK-20")
def test_a_key_replaces_what_the_request_brought() -> None:
    request = signed(ApiKey("k3y", "sid", where="cookie"), cookie="a=1; sid=forged; b=2")

    assert request.headers["cookie"] == "a=1; b=2; sid=k3y"
    assert signed(ApiKey("k3y", "X-Key"), **{"x-key": "forged"}).headers.get_list("x-key") == ["k3y"]


@pytest.mark.req("AUTH-01")
async def test_no_log_of_a_client_and_no_repr_shows_a_key_of_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        response = await client.get(URL, auth=ApiKey("sesame", "key", where="query"))

    assert "HTTP Request: GET" in caplog.text
    assert "sesame" not in caplog.text + repr(sent[0]) + repr(response.request.url) + str(response.url)
    assert b"key=sesame" in sent[0].url.raw_path


@pytest.mark.req("AUTH-01")
@pytest.mark.parametrize(
    "auth",
    [Bearer("sesame"), ApiKey("sesame", "n"), Basic("sesame", "sesame"), Headers({"X": "sesame"})],
    ids=["bearer", "key", "basic", "headers"],
)
def test_a_repr_shows_no_secret(auth: httpx2.Auth) -> None:
    assert "sesame" not in f"{auth!r} {auth} {vars(auth)}"


@pytest.mark.req("AUTH-01")
@pytest.mark.parametrize("value", ["", "a\n", "a\r\nX: y", " a", "a ", "é", "a\0", 5, None, b"x"])
@pytest.mark.parametrize(
    "make",
    [Bearer, partial(ApiKey, name="X-Key"), _one_header],
    ids=["bearer", "key", "headers"],
)
def test_a_credential_that_can_not_be_sent_is_refused_when_it_is_given(make: Any, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        make(value)

    assert "X: y" not in str(caught.value)


@pytest.mark.req("AUTH-01")
def test_a_credential_that_is_asked_for_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="bearer token"):
        signed(Bearer(lambda: "a\nb"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ApiKey("k", "X-Key", where=cast("Any", "body")),
        lambda: ApiKey("k", ""),
        lambda: ApiKey("k", "X Key"),
        lambda: ApiKey("k", "a;b", where="cookie"),
        lambda: ApiKey("k; sid=forged", "sid", where="cookie"),
        lambda: Basic("a:b", "p"),
        lambda: Headers({"X Y": "v"}),
        lambda: Bearer("t", prefix="a\nb"),
    ],
)
def test_a_name_or_place_that_does_not_exist_is_refused(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()
