"""Words meet their other forms, and those of one meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.discover.words import MEANINGS, stem, words


@pytest.mark.parametrize(
    "forms",
    [
        ("issue", "issues"),
        ("merge", "merged", "merging", "merges"),
        ("assign", "assignees", "assigned", "assigning"),
        ("repository", "repositories"),
        ("close", "closing", "closed"),
        ("stop", "stopped", "stopping"),
    ],
)
def test_the_forms_of_a_word_are_one(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_different_words_stay_different() -> None:
    assert len({stem(word) for word in ("issue", "user", "team", "branch", "tag", "star", "start")}) == 7


@pytest.mark.parametrize("name", ["list_openIssues", "list-open-issues", "ListOpenIssues", "list open issues"])
def test_names_are_read_in_every_way_of_writing(name: str) -> None:
    assert words(name) == words("list open issue")


def test_other_scripts_are_words_too() -> None:
    assert words("Größe ändern") == words("größe ändern")
    assert words("検索") == ["検索"]


def test_filling_is_left_out() -> None:
    assert words("what is the one for you") == words("one")


def test_words_of_one_meaning_share_it() -> None:
    assert set(MEANINGS[stem("remove")]) & set(MEANINGS[stem("delete")])


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    assert all(words(text))
