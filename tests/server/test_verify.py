"""Who calls the gateway, by access tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from issuing import AUDIENCE, ISSUER, NOW, Issuing, weak_key

from mcpbridge.errors import ConfigError
from mcpbridge.server.verify import Issuer, JwtVerifier
from mcpbridge.server.verify_token import CallerToken, TokensUnavailable
from mcpbridge.tools import Caller

OTHER = "https://login.other.example"


def verifier(issuing: Issuing, **settings: Any) -> JwtVerifier:
    return JwtVerifier(Issuer(issuer=ISSUER, **settings), audience=AUDIENCE, transport=issuing.transport, clock=issuing)


@pytest.mark.req("GW-05")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_a_good_token_gives_its_subject_as_the_user(algorithm: str) -> None:
    issuing = Issuing(algorithm=algorithm)
    token = await verifier(issuing, tenant="acme").verify_token(issuing.token(scope="a b", client_id="cli"))
    assert token is not None
    assert (token.caller, token.scopes, token.client_id) == (Caller(tenant="acme", user="ann"), ["a", "b"], "cli")


@pytest.mark.req("GW-05")
async def test_a_clients_own_token_is_an_agent_without_a_user() -> None:
    issuing = Issuing()
    token = await verifier(issuing).verify_token(issuing.token(sub="cli", client_id="cli"))
    assert token is not None
    assert token.caller == Caller(agent="cli")


@pytest.mark.req("GW-05")
async def test_the_host_tells_the_caller_by_the_claims() -> None:
    issuing = Issuing()

    def caller(claims: Mapping[str, Any]) -> Caller:
        return Caller(tenant=claims["org"], user=claims["email"], teams=frozenset(claims["groups"]))

    token = await verifier(issuing, caller=caller).verify_token(
        issuing.token(org="acme", email="ann@acme.example", groups=["ops"])
    )
    assert token is not None
    assert token.caller == Caller(tenant="acme", user="ann@acme.example", teams=frozenset(["ops"]))
    assert await verifier(issuing, caller=caller).verify_token(issuing.token(org="acme")) is None


BAD: Mapping[str, Mapping[str, Any]] = {
    "another audience": {"aud": "https://other.example/mcp"},
    "no audience": {"aud": None},
    "an audience that only begins alike": {"aud": f"{AUDIENCE}.evil.example"},
    "another issuer": {"iss": OTHER},
    "an issuer with a slash": {"iss": f"{ISSUER}/"},
    "no issuer": {"iss": None},
    "over": {"exp": NOW - 61},
    "without an end": {"exp": None},
    "an end that is text": {"exp": "9999999999"},
    "an end that is true": {"exp": True},
    "not yet": {"nbf": NOW + 61},
    "issued in the future": {"iat": NOW + 61},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 7},
}


@pytest.mark.req("GW-05", "ATK-49")
@pytest.mark.parametrize("why", BAD)
async def test_claims_that_are_not_for_us_are_refused(why: str) -> None:
    issuing = Issuing()
    assert await verifier(issuing).verify_token(issuing.token(**BAD[why])) is None


@pytest.mark.req("GW-05")
@pytest.mark.parametrize("claims", [{"aud": ["x", AUDIENCE]}, {"exp": NOW - 59}, {"nbf": NOW + 59}, {"iat": None}])
async def test_what_may_differ_is_taken(claims: Mapping[str, Any]) -> None:
    issuing = Issuing()
    assert await verifier(issuing).verify_token(issuing.token(**claims)) is not None


@pytest.mark.req("FLT-18")
@pytest.mark.parametrize(("leeway", "off", "taken"), [(60.0, 59, True), (60.0, 61, False), (600.0, 599, True)])
@pytest.mark.parametrize("sign", [-1, 1])
async def test_a_clock_may_be_off_by_what_the_host_allows(leeway: float, off: int, taken: bool, sign: int) -> None:
    issuing = Issuing()
    theirs = NOW + sign * off
    times: dict[str, Any] = {"iat": theirs, "nbf": theirs, "exp": theirs + (300 if sign > 0 else 0)}
    known = JwtVerifier(
        Issuer(issuer=ISSUER), audience=AUDIENCE, transport=issuing.transport, clock=issuing, leeway=leeway
    )

    assert (await known.verify_token(issuing.token(**times)) is not None) is taken


@pytest.mark.req("ATK-49")
@pytest.mark.parametrize("typ", ["id_token", "dpop+jwt", "logout+jwt", "secevent+jwt"])
async def test_a_jwt_for_something_else_is_refused(typ: str) -> None:
    issuing = Issuing()
    assert await verifier(issuing).verify_token(issuing.token(header={"typ": typ})) is None


@pytest.mark.req("ATK-49")
async def test_forged_tokens_are_refused() -> None:
    issuing, stranger = Issuing(), Issuing()
    good = issuing.token()
    head, body, signature = good.split(".")
    forged = [
        stranger.token(),
        stranger.token(header={"kid": issuing.kid}),
        issuing.by_hand("none"),
        issuing.by_hand("None"),
        issuing.by_hand("HS256", secret=issuing.public_pem()),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        "",
        "..",
        "a.b.c",
        "x" * 20_000,
        good + "." + signature,
    ]
    assert [await verifier(issuing).verify_token(token) for token in forged] == [None] * len(forged)


@pytest.mark.req("ATK-49")
async def test_a_key_that_a_token_brings_along_is_not_used() -> None:
    issuing, stranger = Issuing(), Issuing()
    header = {"jwk": stranger.public(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}
    assert await verifier(issuing).verify_token(stranger.token(header=header)) is None
    assert {request.url.host for request in issuing.asked} <= {"login.example"}


@pytest.mark.req("GW-05")
async def test_keys_are_read_once_and_again_for_a_new_one() -> None:
    issuing = Issuing()
    verify = verifier(issuing)
    for _ in range(3):
        assert await verify.verify_token(issuing.token()) is not None
    assert issuing.readings() == 1
    issuing.rotate()
    issuing.now += 11
    assert await verify.verify_token(issuing.token()) is not None
    assert issuing.readings() == 2


@pytest.mark.req("GW-05")
async def test_made_up_key_ids_do_not_make_us_read_keys_again_and_again() -> None:
    issuing = Issuing()
    verify = verifier(issuing)
    assert await verify.verify_token(issuing.token()) is not None
    for number in range(50):
        assert await verify.verify_token(issuing.token(header={"kid": f"made-up-{number}"})) is None
    assert issuing.readings() == 1


@pytest.mark.req("GW-05")
async def test_keys_that_are_there_stay_good_while_the_issuer_is_down() -> None:
    issuing = Issuing()
    verify = verifier(issuing)
    token = issuing.token(exp=NOW + 5_000)
    assert await verify.verify_token(token) is not None
    issuing.down = True
    issuing.now += 700
    assert await verify.verify_token(token) is not None


async def test_an_issuer_that_is_down_from_the_start_refuses_nobody() -> None:
    issuing = Issuing(down=True)
    with pytest.raises(TokensUnavailable, match=r"login\.example"):
        await verifier(issuing).verify_token(issuing.token())


async def test_the_metadata_of_another_issuer_is_not_used() -> None:
    issuing = Issuing(stated={"issuer": OTHER})
    with pytest.raises(TokensUnavailable):
        await verifier(issuing).verify_token(issuing.token())


async def test_keys_that_are_weak_or_for_something_else_are_left_out() -> None:
    weak = weak_key()
    issuing = Issuing(more=[weak.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, {"kty": 7}, 7])
    assert await verifier(issuing).verify_token(issuing.signed_with(weak, kid="weak")) is None
    assert await verifier(issuing).verify_token(issuing.token()) is not None


@pytest.mark.req("GW-05")
async def test_two_issuers_have_each_their_users() -> None:
    one, two = Issuing(), Issuing(issuer=OTHER)

    def reach(request: httpx2.Request) -> httpx2.Response:
        return (one if request.url.host == "login.example" else two).answer(request)

    verify = JwtVerifier(
        Issuer(issuer=ISSUER, tenant="acme"),
        Issuer(issuer=OTHER, tenant="other"),
        audience=AUDIENCE,
        transport=httpx2.MockTransport(reach),
        clock=one,
    )
    tokens = [await verify.verify_token(each.token()) for each in (one, two)]
    assert [token and token.caller.tenant for token in tokens] == ["acme", "other"]
    mixed = two.token(iss=ISSUER)
    assert await verify.verify_token(mixed) is None


@pytest.mark.parametrize(
    ("issuers", "audience", "words"),
    [
        ([], AUDIENCE, "at least one"),
        ([Issuer(issuer=ISSUER)], "", "audience"),
        ([Issuer(issuer=ISSUER)], [], "audience"),
        ([Issuer(issuer=ISSUER, tenant="a"), Issuer(issuer=ISSUER, tenant="b")], AUDIENCE, "twice"),
        ([Issuer(issuer=ISSUER), Issuer(issuer=OTHER)], AUDIENCE, "one tenant"),
    ],
)
def test_what_would_let_strangers_in_is_refused_at_build(issuers: list[Issuer], audience: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        JwtVerifier(*issuers, audience=audience)


@pytest.mark.parametrize(
    "settings",
    [
        {"issuer": "http://login.example"},
        {"issuer": ""},
        {"issuer": ISSUER, "algorithms": ["HS256"]},
        {"issuer": ISSUER, "algorithms": ["none"]},
        {"issuer": ISSUER, "algorithms": []},
        {"issuer": ISSUER, "jwks_uri": "http://login.example/keys"},
    ],
)
def test_an_issuer_that_cant_be_trusted_is_refused_at_build(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Issuer"):
        Issuer(**settings)


def test_a_token_shows_its_caller_to_nobody() -> None:
    token = CallerToken(token="t", client_id="c", scopes=[], caller=Caller(user="ann"))
    assert "ann" not in repr(token)
