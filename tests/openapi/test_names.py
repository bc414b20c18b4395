from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.names import Endpoint, argument_name, argument_names, tool_names

METHODS = st.sampled_from(["GET", "POST", "PUT"])
PATHS = st.one_of(
    st.text(min_size=1, max_size=80), st.from_regex(r"/[a-z{}_-]{1,6}(/[a-z{}]{1,4}){0,3}", fullmatch=True)
)
IDS = st.one_of(
    st.none(), st.text(max_size=90), st.sampled_from(["a", "a.b", "a_b", "a-b", "A", "a" * 80, "a" * 81, "é"])
)
ENDPOINTS = st.lists(
    st.builds(Endpoint, operation_id=IDS, method=METHODS, path=PATHS),
    unique_by=lambda each: (each.method, each.path),
    max_size=12,
)
PLACES = st.lists(
    st.tuples(
        st.sampled_from(["path", "query", "header", "cookie", "body"]),
        st.one_of(
            st.text(min_size=1, max_size=90), st.sampled_from(["a", "$a", "a[]", "a_query", "a_query_2", "body"])
        ),
    ),
    unique=True,
    max_size=12,
)


def name(operation_id: str | None, method: str = "GET", path: str = "/a/{b}", limit: int = 64) -> str:
    return tool_names([Endpoint(operation_id, method, path)], limit=limit)[0]


@pytest.mark.req("OAS-11")
@pytest.mark.parametrize(
    ("operation_id", "wanted"),
    [
        ("getThing", "getThing"),
        ("repos/get", "repos_get"),
        ("list-things", "list-things"),
        ("a  b..c", "a_b_c"),
        ("_hidden_", "hidden"),
        (None, "get_a_b"),
        ("", "get_a_b"),
    ],
)
def test_a_tool_is_called_by_its_operation_id_or_by_method_and_path(operation_id: str | None, wanted: str) -> None:
    assert name(operation_id) == wanted


@pytest.mark.req("ATK-12", "OAS-11")
@pytest.mark.parametrize(
    "operation_id", ["__proto__", "a\nb", "x" * 10_240, "../up", "\U0001f600", "", "\u202egpj.exe", "日本"]
)
def test_hostile_names_are_made_harmless(operation_id: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}", name(operation_id))


@pytest.mark.req("ATK-12", "OAS-11")
@given(endpoints=ENDPOINTS, limit=st.integers(16, 64))
def test_names_of_tools_are_legal_and_all_different(endpoints: list[Endpoint], limit: int) -> None:
    names = tool_names(endpoints, limit=limit)

    assert len({*names}) == len(endpoints)
    assert all(len(each) <= limit and re.fullmatch(r"[a-zA-Z0-9_-]+", each) for each in names)


@pytest.mark.req("ATK-12", "OAS-11")
@given(endpoints=ENDPOINTS, random=st.randoms(use_true_random=False))
def test_names_of_tools_do_not_depend_on_order(endpoints: list[Endpoint], random: Random) -> None:
    turned = random.sample(endpoints, len(endpoints))

    one = dict(zip(endpoints, tool_names(endpoints), strict=True))
    other = dict(zip(turned, tool_names(turned), strict=True))

    assert one == other


@pytest.mark.req("OAS-11")
def test_duplicates_are_told_apart_by_method_and_path() -> None:
    endpoints = [Endpoint("get", "GET", "/a"), Endpoint("get", "GET", "/b"), Endpoint("get/", "PUT", "/c")]

    assert tool_names(endpoints) == ["get_get_a", "get_get_b", "get_put_c"]


@pytest.mark.req("OAS-11")
def test_who_is_written_exactly_so_keeps_the_name() -> None:
    endpoints = [Endpoint("a.b", "GET", "/x"), Endpoint("a_b", "GET", "/y")]

    assert tool_names(endpoints) == ["a_b_get_x", "a_b"]


@pytest.mark.req("OAS-11")
def test_a_name_that_is_cut_ends_in_a_digest_of_the_whole() -> None:
    one, other = name("a" * 70 + "x", limit=30), name("a" * 70 + "y", limit=30)

    assert one != other
    assert one.startswith("a" * 21 + "_")
    assert len(one) == 30


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        tool_names([], limit=15)


@pytest.mark.req("OAS-10")
@pytest.mark.parametrize(
    ("parameter", "argument"),
    [
        ("plain.name-1", "plain.name-1"),
        ("$filter", "filter"),
        ("page[size]", "page_size"),
        ("ids[]", "ids"),
        ("DateCreated<", "DateCreated_lt"),
        ("DateCreated>=", "DateCreated_gte"),
        ("x:y/z", "x_y_z"),
    ],
)
def test_arguments_keep_what_providers_accept(parameter: str, argument: str) -> None:
    assert argument_name(parameter) == argument


@pytest.mark.req("OAS-10")
@given(places=PLACES)
def test_names_of_arguments_are_legal_and_all_different(places: list[tuple[str, str]]) -> None:
    names = argument_names(places)

    assert names.keys() == {*places}
    assert len({*names.values()}) == len(places)
    assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", each) for each in names.values())


@pytest.mark.req("OAS-10")
@given(places=PLACES)
def test_a_name_that_needs_no_change_is_kept_by_the_first_that_claims_it(places: list[tuple[str, str]]) -> None:
    names = argument_names(places)

    claimed: set[str] = set()
    for place in places:
        if place[1] not in claimed and re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", place[1]):
            claimed.add(place[1])
            assert names[place] == place[1]


@pytest.mark.req("OAS-10")
def test_whoever_finds_a_name_taken_gets_its_place_behind_it() -> None:
    places = [("path", "id"), ("query", "id"), ("query", "id_query"), ("body", "id"), ("body", "body"), ("whole", "")]

    assert argument_names(places) == {
        ("path", "id"): "id",
        ("query", "id_query"): "id_query",
        ("body", "body"): "body",
        ("query", "id"): "id_query_2",
        ("body", "id"): "id_body",
        ("whole", ""): "request_body",
    }
