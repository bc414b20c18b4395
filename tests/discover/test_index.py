"""A search finds what people ask for, quickly, and the same each time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge import Document, read_operations, to_tool
from mcpbridge.discover.index import Index
from mcpbridge.tools import Tool

VECTORS = Path(__file__).parents[1] / "vectors"
QUESTIONS, OTHERS = (
    json.loads((VECTORS / name).read_text("utf-8"))["questions"]
    for name in ("github_questions.json", "other_questions.json")
)

TOOLS = [
    Tool(name="issues_create-comment", description="Creates a comment on an issue."),
    Tool(name="issues_create", description="Creates an issue."),
    Tool(name="issues_list", description="Lists issues."),
    Tool(name="zone_put", description="", input_schema={"type": "object", "properties": {"colour": {}}}),
    Tool(name="remove_page", description="Takes a page away. It goes to the bin, from where it comes back."),
]


def _index(path: Path) -> Index:
    return Index(to_tool(operation) for operation in read_operations(Document.parse(path)))


@pytest.fixture(scope="module")
def github(corpus: Path) -> Index:
    return _index(corpus / "github-api.json")


def _names(index: Index, question: str, limit: int = 5) -> list[str]:
    return [hit.tool.name for hit in index.search(question, limit=limit)]


def _missed(index: Index, asked: Sequence[Mapping[str, Any]]) -> list[str]:
    """The questions of which no answer is among the first five tools."""
    return [each["question"] for each in asked if not {*_names(index, each["question"])} & {*each["tools"]}]


@pytest.mark.req("CTX-01")
def test_nine_of_ten_questions_about_github_are_answered_in_the_first_five(github: Index) -> None:
    missed = _missed(github, QUESTIONS)

    assert len(QUESTIONS) == 60
    assert len(missed) <= 6, missed


@pytest.mark.req("CTX-01")
@pytest.mark.parametrize("description", ["slack-web.json", "stripe-spec3.json"])
def test_questions_that_tuned_nothing_are_answered_as_well(corpus: Path, description: str) -> None:
    asked = [each for each in OTHERS if each["description"] == description]

    missed = _missed(_index(corpus / description), asked)

    assert len(asked) == 15
    assert len(missed) <= 1, missed


@pytest.mark.req("CTX-01")
def test_a_question_about_github_takes_a_millisecond(github: Index) -> None:
    def seconds(question: str) -> float:
        taken: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            github.search(question, limit=5)
            taken.append(time.perf_counter() - began)
        return min(taken)

    taken = sorted(seconds(each["question"]) for each in QUESTIONS)

    assert taken[len(taken) // 2] < 0.004  # 0.2 ms on a machine at rest


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("create an issue", "issues_create"),
        ("comment on an issue", "issues_create-comment"),
        ("show all issues", "issues_list"),
        ("delete a page", "remove_page"),
        ("colour", "zone_put"),
        ("bin", "remove_page"),
    ],
)
def test_names_descriptions_arguments_and_meanings_are_searched(question: str, first: str) -> None:
    assert _names(Index(TOOLS), question)[0] == first


def test_what_nobody_knows_is_not_found() -> None:
    assert _names(Index(TOOLS), "zzz") == []
    assert _names(Index(TOOLS), "") == []
    assert _names(Index([]), "create") == []


def test_no_more_are_given_than_are_wanted() -> None:
    assert len(_names(Index(TOOLS), "issue", 2)) == 2


def test_a_question_without_end_costs_little() -> None:
    assert _names(Index(TOOLS), "issue " + "word " * 100_000)[0].startswith("issues")


@given(st.text())
def test_any_question_is_answered_by_known_tools_once_and_the_best_first(question: str) -> None:
    hits = Index(TOOLS).search(question)

    assert len({hit.tool.name for hit in hits}) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
