"""A star stands for any characters, and nothing else is special."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.wrap.visible_names import Names


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("issues_*", "issues_list", True),
        ("issues_*", "issues_", True),
        ("issues_*", "issue_list", False),
        ("*", "", True),
        ("*_list", "issues_list", True),
        ("a*a", "a", False),
        ("a*b*c", "aXbYc", True),
        ("a**c", "abc", True),
        ("[ab]*", "abc", False),
        ("a?c", "abc", False),
        ("Issues_*", "issues_list", False),
        ("list", "list", True),
        ("list", "list_all", False),
        ("a*", "a\nb", True),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert (name in Names([pattern])) is fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_pattern_means_what_its_regular_expression_means(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None

    assert (name in Names([pattern])) is expected


def test_a_hostile_pattern_costs_little() -> None:
    began = time.process_time()

    assert "a" * 4000 not in Names(["*a" * 100 + "*b"])
    assert time.process_time() - began < 1


def test_no_patterns_are_false() -> None:
    assert (bool(Names([])), bool(Names(["*"])), bool(Names(["a"]))) == (False, True, True)
