"""What was sealed opens at its place, and nowhere else."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.secret import Secret
from mcpbridge.vault.envelope import KEY_SIZE, Place, Refused, seal, unseal

PLACE = Place(tenant="acme", integration="int_1", field="auth.token", revision=2)
KEY = os.urandom(KEY_SIZE)
TEXT = Secret("s3same-canary")
SEALED = seal(TEXT, KEY, PLACE.associated())


@pytest.mark.req("VAULT-01")
@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0", exclude_categories=())))
def test_any_text_opens_as_it_was(text: str) -> None:
    sealed = seal(Secret(text), KEY, PLACE.associated())

    assert unseal(sealed, KEY, PLACE.associated()) == Secret(text)


@pytest.mark.req("VAULT-01", "ATK-65")
@pytest.mark.parametrize(
    "moved",
    [
        replace(PLACE, tenant="other"),
        replace(PLACE, integration="int_2"),
        replace(PLACE, field="auth.value"),
        replace(PLACE, revision=3),
        replace(PLACE, revision=1),
    ],
)
def test_it_opens_at_no_other_place(moved: Place) -> None:
    with pytest.raises(Refused):
        unseal(SEALED, KEY, moved.associated())


@pytest.mark.req("VAULT-01", "ATK-65")
@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28, len(SEALED) - 1])
def test_what_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(Refused):
        unseal(SEALED[:length], KEY, PLACE.associated())


@pytest.mark.req("VAULT-01", "ATK-65")
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_no_bit_can_be_flipped(bit: int) -> None:
    flipped = bytearray(SEALED)
    flipped[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Refused):
        unseal(bytes(flipped), KEY, PLACE.associated())


@pytest.mark.req("VAULT-01")
@given(*[st.builds(Place, tenant=st.text(), integration=st.text(), field=st.text(), revision=st.integers())] * 2)
def test_no_two_places_have_the_same_bytes(one: Place, other: Place) -> None:
    assert (one.associated() == other.associated()) == (one == other)


def test_the_same_secret_never_looks_the_same() -> None:
    assert seal(TEXT, KEY, PLACE.associated()) != SEALED
    assert b"canary" not in SEALED
