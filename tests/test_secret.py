"""A secret shows itself to nobody but the line that reveals it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from string import Template
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.secret import MASK, Secret
from mcpbridge.tools import Caller

TEXT = "hunter2-canary"


@dataclass(frozen=True)
class Holder:
    secret: Secret


def old_style(secret: Secret) -> str:
    return "%s %r" % (secret, secret)  # noqa: UP031 - the old way must not show it either


SHOWN: list[Callable[[Secret], str]] = [
    repr,
    str,
    format,
    old_style,
    lambda secret: "{} {!r:>40}".format(secret, secret),  # noqa: UP032 - as above
    lambda secret: f"{secret} {secret!r} {secret!a} {secret:>20}",
    lambda secret: Template("$x").substitute(x=secret),
    lambda secret: repr(Holder(secret)) + str(asdict(Holder(secret))),
    lambda secret: repr(Caller(token=secret)),
    lambda secret: repr([secret, {"a": secret}]),
    lambda secret: json.dumps({"a": secret}, default=str),
    lambda secret: repr(copy.copy(secret)) + repr(copy.deepcopy([secret])),
    lambda secret: repr(dir(secret)) + repr(secret.__class__),
]
STORED: list[Callable[[Secret], object]] = [
    pickle.dumps,
    json.dumps,
    lambda secret: secret.__reduce_ex__(4),
    lambda secret: secret.__getstate__(),
]


@pytest.mark.req("VAULT-03")
@pytest.mark.parametrize("show", SHOWN)
def test_no_way_of_showing_it_shows_its_text(show: Callable[[Secret], str]) -> None:
    assert TEXT not in show(Secret(TEXT))


@pytest.mark.req("VAULT-03")
@pytest.mark.parametrize("store", STORED)
def test_it_cannot_be_stored_by_accident(store: Callable[[Secret], Any]) -> None:
    with pytest.raises(TypeError) as refused:
        store(Secret(TEXT))
    assert TEXT not in str(refused.value)


@pytest.mark.req("VAULT-03")
def test_a_traceback_with_locals_does_not_show_it() -> None:
    secret = Secret(TEXT)
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert secret
    assert TEXT not in shown.replace(f"TEXT = {TEXT!r}", "")
    assert MASK in shown


@pytest.mark.req("VAULT-03")
def test_a_log_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("any").debug("%s %r", Secret(TEXT), {"a": Secret(TEXT)})

    assert TEXT not in caplog.text


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\0"])
def test_text_that_no_header_carries_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="must not hold CR, LF or NUL") as refused:
        Secret(TEXT + text)
    assert TEXT not in str(refused.value)


@pytest.mark.req("ATK-67")
@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0", exclude_categories=())), st.text("ab"))
def test_it_compares_by_its_text_and_reveals_it(one: str, two: str) -> None:
    assert (Secret(one) == Secret(two)) == (one == two)
    assert Secret(one) == Secret(one)
    assert Secret(one).reveal() == one


@pytest.mark.parametrize("text", ["\ud800canary", "é", "\udcff"])
def test_any_text_compares(text: str) -> None:
    assert Secret(text) == Secret(text)
    assert Secret(text) != Secret("a")


def test_it_is_equal_to_no_plain_text_and_has_no_hash() -> None:
    assert Secret(TEXT) != TEXT
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(TEXT))


def test_it_is_made_once_and_knows_whether_it_is_empty() -> None:
    secret = Secret.of(TEXT)

    assert Secret.of(secret) is secret
    assert (bool(secret), bool(Secret(""))) == (True, False)
