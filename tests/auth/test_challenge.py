from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.auth.challenge import MOST, Challenge, read_challenges


def one(scheme: str, token: str | None = None, /, **parameters: str) -> Challenge:
    return Challenge(scheme=scheme, token=token, parameters=parameters)


@pytest.mark.parametrize(
    ("header", "challenges"),  # the one with two schemes is of RFC 9110 section 11.6.1
    [
        ("", []),
        (" , ,", []),
        ("Bearer", [one("bearer")]),
        ('BEARER Realm="x"', [one("bearer", realm="x")]),
        ("Negotiate YWJj==", [one("negotiate", "YWJj==")]),
        ("Negotiate, Basic realm=x", [one("negotiate"), one("basic", realm="x")]),
        ('Basic realm="a, Bearer b=\\"c\\""', [one("basic", realm='a, Bearer b="c"')]),
        (
            'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
            [one("newauth", realm="apps", type="1", title='Login to "apps"'), one("basic", realm="simple")],
        ),
        (
            'Bearer resource_metadata="https://a.example/.well-known/x", scope="a b", error=invalid_token',
            [one("bearer", resource_metadata="https://a.example/.well-known/x", scope="a b", error="invalid_token")],
        ),
        ("Bearer realm = x , a = b", [one("bearer", realm="x", a="b")]),
        ("Bearer a=1, a=2", [one("bearer", a="1")]),
        (",, Bearer a=1 ,, ,Basic", [one("bearer", a="1"), one("basic")]),
        ("Negotiate abc=, Bearer", [one("negotiate", "abc="), one("bearer")]),
        ('Bearer a="é"', [one("bearer", a="é")]),
        ('Bearer a=""', [one("bearer", a="")]),
    ],
)
def test_challenges_are_read_as_the_standard_says(header: str, challenges: list[Challenge]) -> None:
    assert [*read_challenges(header)] == challenges


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ('Bearer a="unended', ["bearer"]),
        ("Basic realm=x; Bearer", ["basic"]),
        ("=, Bearer", []),
        ('Digest realm="x" nonce="y", Basic', ["digest"]),
        ("Bearer <script>", ["bearer"]),
    ],
)
def test_what_can_not_be_read_ends_the_reading(header: str, schemes: list[str]) -> None:
    assert [each.scheme for each in read_challenges(header)] == schemes


@pytest.mark.parametrize("piece", ["a=", 'a="', "\\", '"\\', " ", ",", "a ", "a=b,", "Bearer ", '="', "a\t=\t"])
def test_no_header_takes_long(piece: str) -> None:
    began = time.perf_counter()
    read_challenges(piece * MOST)
    read_challenges(f'Bearer a="{piece * MOST}')

    assert time.perf_counter() - began < 2


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True).map(str.lower),
            st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(max_size=20), min_size=1, max_size=4),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read_back(written: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} {', '.join(f'{name}={quoted(value)}' for name, value in parameters.items())}"
        for scheme, parameters in written
    )

    assert [(each.scheme, each.parameters) for each in read_challenges(header)] == written
