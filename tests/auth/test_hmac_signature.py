"""Signatures by template: what others verify, what we verify, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import httpx2
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from mcpbridge.auth.hmac_signature import HmacSignature
from mcpbridge.auth.hmac_verified import SignatureRefused
from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.secret import Secret

pytestmark = pytest.mark.req("AUTH-02")

NOW = 1_780_000_000.0
URL = "https://api.example.com/v1/things?b=2&a=%20"
BODY = b'{"n": 1}'
WHSEC = "whsec_" + base64.b64encode(bytes(range(24))).decode()

GITHUB_KEY = "It's a Secret to Everybody"
GITHUB = {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
SLACK_KEY = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_TIME = 1_531_420_618.0
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK = {
    "X-Slack-Request-Timestamp": "1531420618",
    "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}


def signed(auth: httpx2.Auth, body: bytes = BODY, headers: Mapping[str, str] | None = None) -> httpx2.Request:
    """The request that a client sends with the strategy."""
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    with httpx2.Client(transport=httpx2.MockTransport(answer), auth=auth) as client:
        client.post(URL, content=body, headers=headers)
    return sent[0]


def own(**changes: Any) -> HmacSignature:
    settings: dict[str, Any] = {"message": "{body}", "headers": {"X-Signature": "{signature}"}}
    return HmacSignature("k" * 32, **{**settings, **changes})


def test_github_s_published_vector_is_what_we_sign_and_verify() -> None:
    github = HmacSignature.github(GITHUB_KEY)

    assert signed(github, b"Hello, World!").headers["x-hub-signature-256"] == GITHUB["X-Hub-Signature-256"]
    assert github.verify(GITHUB, b"Hello, World!").timestamp is None


def test_slack_s_published_vector_is_what_we_sign_and_verify() -> None:
    slack = HmacSignature.slack(SLACK_KEY, clock=lambda: SLACK_TIME)
    headers = signed(slack, SLACK_BODY).headers

    assert {name: headers[name] for name in SLACK} == SLACK
    assert slack.verify(SLACK, SLACK_BODY).timestamp == SLACK_TIME


def test_stripe_s_library_takes_what_we_sign_and_we_what_it_signs() -> None:
    ours = HmacSignature.stripe("whsec_test")
    event = json.dumps({"id": "evt_1", "object": "event"})
    header = stripe.WebhookSignature.generate_signature_header(event, "whsec_test")  # pyright: ignore[reportUnknownMemberType] # theirs

    sent = signed(ours, event.encode())
    verified = stripe.Webhook.construct_event(sent.content, sent.headers["stripe-signature"], "whsec_test")
    assert verified.id == "evt_1"
    assert ours.verify({"Stripe-Signature": header}, event.encode()).key == 0


def test_the_library_of_standard_webhooks_takes_what_we_sign_and_we_what_it_signs() -> None:
    ours = HmacSignature.standard_webhooks(WHSEC)
    sent = signed(ours)

    assert Webhook(WHSEC).verify(sent.content, dict(sent.headers)) == {"n": 1}
    assert ours.verify(sent.headers, BODY).nonce == sent.headers["webhook-id"]


def test_a_signature_among_several_is_found() -> None:
    sent = signed(HmacSignature.standard_webhooks(WHSEC, clock=lambda: NOW)).headers
    several = {**sent, "webhook-signature": f"v1a,xyz v1,bm9uZQ== {sent['webhook-signature']} v2,rest"}

    assert HmacSignature.standard_webhooks(WHSEC).verify(several, BODY, now=NOW).timestamp == NOW


def test_an_older_key_still_verifies_and_the_newest_signs() -> None:
    both = HmacSignature.stripe(["new", Secret("old")], clock=lambda: NOW)
    old = signed(HmacSignature.stripe("old", clock=lambda: NOW)).headers

    assert both.verify(old, BODY).key == 1
    assert both.verify(signed(both).headers, BODY).key == 0
    assert HmacSignature.stripe("new").verify(signed(both).headers, BODY, now=NOW).key == 0


def test_a_key_can_come_from_a_function_for_each_request() -> None:
    keys = iter(["one", "two"])
    auth = HmacSignature.github(lambda: next(keys))

    assert HmacSignature.github("one").verify(signed(auth).headers, BODY)
    assert HmacSignature.github("two").verify(signed(auth).headers, BODY)


async def test_a_request_that_is_sent_again_is_signed_afresh() -> None:
    times = itertools.count(NOW)
    auth = HmacSignature.standard_webhooks(WHSEC, clock=lambda: next(times))
    sent: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(httpx2.Headers(request.headers))
        return httpx2.Response(503)

    upstream = Upstream(transport=httpx2.MockTransport(answer), auth=auth)
    request = httpx2.Request("POST", URL, content=BODY)
    for _ in range(2):
        assert isinstance(await upstream.send(request), Answer)

    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert sent[0][name] != sent[1][name]


def test_every_field_of_a_request_can_be_signed() -> None:
    auth = HmacSignature(
        "6b6579",
        message="{method}\n{url}\n{host}\n{path}\n{query}\n{target}\n{header:X-Day}\n{body_digest}\n{nonce}{{{key_id}}}",
        headers={"Authorization": 'HMAC id="{key_id}", nonce="{nonce}", sig="{signature}"'},
        digest="sha512",
        encoding="base64",
        key_encoding="hex",
        key_id="k1",
        nonce=lambda: "n0",
    )
    request = signed(auth, headers={"X-Day": "Sunday"})
    digest = base64.b64encode(hashlib.sha512(BODY).digest()).decode()
    target = "/v1/things?b=2&a=%20"
    lines = ["POST", URL, "api.example.com", "/v1/things", "b=2&a=%20", target, "Sunday", digest, "n0{k1}"]
    wanted = base64.b64encode(hmac.digest(b"key", "\n".join(lines).encode(), "sha512")).decode()

    assert request.headers["authorization"] == f'HMAC id="k1", nonce="n0", sig="{wanted}"'
    assert auth.verify(request.headers, BODY, method="POST", url=URL).nonce == "n0"


@pytest.mark.parametrize(
    ("written", "format"),
    [
        ("1780000000", "seconds"),
        ("1780000000000", "milliseconds"),
        ("2026-05-28T20:26:40Z", "iso8601"),
        ("Thu, 28 May 2026 20:26:40 GMT", "http"),
    ],
)
def test_a_time_is_written_and_read_in_its_format(written: str, format: Any) -> None:
    headers = {"Date": "{timestamp}", "X-Signature": "{signature}"}
    auth = own(message="{timestamp}", headers=headers, timestamp=format, clock=lambda: NOW)
    sent = signed(auth)

    assert sent.headers["date"] == written
    assert auth.verify(sent.headers, b"").timestamp == NOW


Change = Callable[[Mapping[str, str]], Mapping[str, str]]
PRESETS: Mapping[str, Callable[[], HmacSignature]] = {
    "slack": partial(HmacSignature.slack, "key", clock=lambda: NOW),
    "stripe": partial(HmacSignature.stripe, "key", clock=lambda: NOW),
    "standard": partial(HmacSignature.standard_webhooks, WHSEC, clock=lambda: NOW),
}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("away", [-301, 301, 10_000_000])
def test_a_webhook_of_another_time_is_refused(preset: str, away: float) -> None:
    auth = PRESETS[preset]()

    with pytest.raises(SignatureRefused) as caught:
        auth.verify(signed(auth).headers, BODY, now=NOW + away)

    assert (caught.value.reason, caught.value.code) == ("stale", "signature_refused")


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), preset=st.sampled_from([*PRESETS]))
def test_a_body_of_which_one_bit_differs_is_refused(at: int, bit: int, preset: str) -> None:
    auth, changed = PRESETS[preset](), bytearray(BODY)
    changed[at % len(BODY)] ^= 1 << bit

    with pytest.raises(SignatureRefused, match="the key or the body"):
        auth.verify(signed(auth).headers, bytes(changed))


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=80)))
def test_whatever_stands_in_the_headers_is_refused_in_one_way(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        PRESETS["standard"]().verify(headers, BODY)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"Stripe-Signature": "t=1780000000"}, "missing"),
        ({"Stripe-Signature": "v1=00"}, "missing"),
        ({"Stripe-Signature": "t=soon,v1=00"}, "malformed"),
        ({"Stripe-Signature": "t=nan,v1=00"}, "malformed"),
        ({"Stripe-Signature": "t=1e999,v1=00"}, "malformed"),
        ({"Stripe-Signature": "t=1780000000,t=1780000001,v1=00"}, "malformed"),
        ({"Stripe-Signature": "t=1780000000,v1=00"}, "mismatch"),
        ({"Stripe-Signature": "t=1780000000,v0=00"}, "missing"),
        ({"Stripe-Signature": "t=1780000000" + ",v1=00" * 100_000}, "mismatch"),
    ],
)
def test_what_is_wrong_with_a_header_is_told(headers: Mapping[str, str], reason: str) -> None:
    with pytest.raises(SignatureRefused) as caught:
        PRESETS["stripe"]().verify(headers, BODY)

    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_an_address_that_is_signed_has_to_be_given() -> None:
    with pytest.raises(ConfigError, match="url="):
        own(message="{path}").verify({"X-Signature": "00"}, b"")


def test_a_webhook_without_a_header_that_is_signed_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="'X-Day'") as caught:
        own(message="{header:X-Day}").verify({"X-Signature": "00"}, b"")

    assert caught.value.reason == "missing"


def test_a_time_that_is_no_number_lets_nothing_in() -> None:
    auth = PRESETS["slack"]()

    with pytest.raises(SignatureRefused):
        auth.verify(signed(auth).headers, BODY, now=float("nan"))


async def test_a_header_that_is_signed_and_missing_is_no_answer_of_the_upstream() -> None:
    upstream = Upstream(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200)), auth=own(message="{header:X-Day}")
    )

    answer = await upstream.send(httpx2.Request("GET", URL))

    assert isinstance(answer, Failure)
    assert answer.sent == "no"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"message": "{body"}, "message"),
        ({"message": "{secret}"}, r"\{secret\} is no field"),
        ({"message": "{signature}"}, r"\{signature\} is no field"),
        ({"message": "{body!r}"}, "no field"),
        ({"message": "{header}"}, "header:Date"),
        ({"headers": {"X-S": "v1"}}, r"\{signature\}"),
        ({"headers": {}}, r"\{signature\}"),
        ({"headers": {"X S": "{signature}"}}, "no name of a header"),
        ({"headers": {"X-S": "\n{signature}"}}, "printable"),
        ({"headers": {"X-S": "{nonce}{signature}"}}, "between fields"),
        ({"message": "{timestamp}"}, "headers=… carries it"),
        ({"message": "{nonce}"}, "headers=… carries it"),
        ({"headers": {"X-S": "{signature};{timestamp}"}}, r"message=… does not sign it"),
        ({"tolerance": float("nan")}, "above 0"),
        ({"tolerance": float("inf")}, "above 0"),
        ({"tolerance": -1.0}, "above 0"),
        ({"tolerance": 5.0}, r"tolerance=… .* message=…"),
        ({"key_id": "k"}, r"key_id=… .* message=…"),
        ({"message": "{key_id}"}, "key_id=… is missing"),
        ({"digest": "md5"}, "sha256"),
        ({"encoding": "hexa"}, "base64"),
        ({"timestamp": "days"}, "seconds"),
        ({"key_encoding": "pem"}, "whsec"),
        ({"key_encoding": "hex"}, "key_encoding='hex'"),
    ],
)
def test_settings_that_can_not_work_are_refused_when_they_are_given(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        own(**changes)

    assert "kkkk" not in str(caught.value)


@pytest.mark.parametrize("key", ["", [], ["a", ""], 5, None, [b"x"]])
def test_a_key_that_is_none_is_refused(key: Any) -> None:
    with pytest.raises(ConfigError):
        HmacSignature.github(key)


def test_nothing_shows_a_key() -> None:
    keys: Sequence[str] = ["sesame-one", "sesame-two"]
    auth = HmacSignature.stripe(keys)

    assert "sesame" not in f"{auth!r} {auth} {vars(auth)}"
    with pytest.raises(TypeError):
        pickle.dumps(vars(auth)["_keys"])
