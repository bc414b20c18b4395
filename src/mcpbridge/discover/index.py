"""An index of tools, ranked by BM25F (Robertson and Zaragoza 2009) over name, summary, description and arguments. Pure.

What the general formula lacks is added in two ways: words of one meaning find each other, for less than the word
itself; and a name counts more the more of it the question says, so that `issues_create` comes before
`issues_create-comment` where nobody spoke of a comment.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from mcpbridge.discover.words import MEANINGS, words
from mcpbridge.tools import Tool

_FIELDS = (("name", 3.0, 0.3), ("summary", 2.0, 0.5), ("description", 0.5, 0.7), ("arguments", 0.5, 0.7))
"""Each field, what a word in it counts, and how much its length takes from that."""

_SATURATION = 1.2
_MEANING = 0.7
"""What a word of the same meaning counts, where the word itself counts 1."""

_NAME = 1.0
"""How much of its score a tool gains whose whole name is said."""

_COVERED = 0.5
"""How much of its score a tool gains that has every word of the question."""

_SHORTLIST = 40
"""How many tools are looked at more closely."""

_DESCRIPTION = 1200
_QUESTION = 40
"""The most characters of a description, and words of a question, that are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A tool that was found; a higher score fits better, and scores compare within one search alone."""

    tool: Tool
    score: float


class Index:
    """Some tools, to be searched."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = tuple(tools)
        fields = [_fields(tool) for tool in self.tools]
        self._names = [[(word, *MEANINGS.get(word, ())) for word in dict.fromkeys(each["name"])] for each in fields]
        self._postings = _postings(fields)

    def search(self, question: str, *, limit: int = 10) -> Sequence[Hit]:
        """The tools that fit best, the best first; of equals, the one listed first. Empty where no word is known."""
        asked = list(dict.fromkeys(words(question)))[:_QUESTION]
        scores, found = self._scores(asked)
        shortlist = nlargest(max(limit, _SHORTLIST), scores, key=lambda at: (scores[at], -at))
        meant = {meaning for word in asked for meaning in MEANINGS.get(word, ())} | set(asked)
        ranked = [(self._final(at, scores[at], found[at] / len(asked), meant), at) for at in shortlist]
        ranked.sort(key=lambda pair: (-pair[0], pair[1]))
        return [Hit(tool=self.tools[at], score=score) for score, at in ranked[:limit]]

    def _scores(self, asked: Sequence[str]) -> tuple[Mapping[int, float], Mapping[int, float]]:
        """By tool: the sum over all words of the question, and how many of them were found."""
        scores: defaultdict[int, float] = defaultdict(float)
        found: defaultdict[int, float] = defaultdict(float)
        for word in asked:
            best: dict[int, float] = dict(self._postings.get(word, {}))
            for meaning in MEANINGS.get(word, ()):
                for at, score in self._postings.get(meaning, {}).items():
                    if score * _MEANING > best.get(at, 0.0):
                        best[at] = score * _MEANING
            for at, score in best.items():
                scores[at] += score
                found[at] += 1
        return scores, found

    def _final(self, at: int, score: float, covered: float, meant: set[str]) -> float:
        name = self._names[at]
        said = sum(1 for word in name if not meant.isdisjoint(word)) / (len(name) or 1)
        return score * (1 + _NAME * said) * (1 + _COVERED * covered)


def _fields(tool: Tool) -> Mapping[str, list[str]]:
    summary, _, rest = tool.description.partition(". ")
    return {
        "name": words(tool.name),
        "summary": words(summary),
        "description": words(rest[:_DESCRIPTION]),
        "arguments": words(" ".join(tool.input_schema.get("properties", ()))),
    }


def _postings(fields: Sequence[Mapping[str, list[str]]]) -> Mapping[str, Mapping[int, float]]:
    """By word and by meaning: the tools that have it, with what it adds to their score."""
    weights: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for field, weight, by_length in _FIELDS:
        usual = sum(len(each[field]) for each in fields) / (len(fields) or 1) or 1.0
        for at, each in enumerate(fields):
            shortened = 1 - by_length + by_length * len(each[field]) / usual
            for word, times in Counter(each[field]).items():
                for term in (word, *MEANINGS.get(word, ())):
                    weights[term][at] += weight * times / shortened
    many = len(fields)
    return {
        term: {at: _rarity(len(tools), many) * weight / (weight + _SATURATION) for at, weight in tools.items()}
        for term, tools in weights.items()
    }


def _rarity(having: int, many: int) -> float:
    return math.log(1 + (many - having + 0.5) / (having + 0.5))
