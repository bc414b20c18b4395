"""Text as the words that a search compares: without endings, without filling, with their meanings. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s", "e", "y")

_SHORTEST = 3
"""Letters that are left of a word at least."""

_FILLING = """
    a an and are as at be been by can could did do does for from has have how i if in into is it its may of on or please
    should so some somebody someone than that the their them then there these this those to was what when where which
    who whom whose why will with would you your
"""
"""Words that say nothing of what is meant."""

_MEANINGS = """
    create add new make insert register open put publish
    update edit change modify set patch write replace close rename
    delete remove destroy drop erase clear
    get read show fetch retrieve view see look display lookup describe
    list all every browse enumerate show
    search find query seek
    start run trigger dispatch launch execute begin
    stop cancel abort terminate halt kill
    rerun retry restart redo
    send submit
    download export
    upload import attach
    assign give
    approve accept confirm review
    deny reject decline refuse dismiss
    invite collaborator
    my me mine authenticated own self
    repository repo
    organization organisation org
    pull pr
    user person people account member login
    directory folder
    picture image photo
    document doc
    configuration config setting preference
    environment env
    message msg
    comment conversation discussion remark
    text word content
    difference diff compare
    permission access right role
    visitor view traffic visit
    teammate reviewer
    build workflow pipeline job
    vulnerability alert
    key credential
    application app
"""
"""Words that mean about the same where tools are named, one group a line. The first stands for all of them."""


_SAYS_NOTHING = frozenset(_FILLING.split())


def words(text: str) -> list[str]:
    """The words of a text or a name, in order: lower case, without endings, without those that say nothing."""
    found = (word.lower() for word in _WORD.findall(text))
    return [stem(word) for word in found if word not in _SAYS_NOTHING]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The word without its endings, so that `issues`, `merged` and `assignees` meet `issue`, `merge` and `assign`."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            rest = word[: -len(ending)]
            doubled = ending in ("ing", "ed") and len(rest) > _SHORTEST and rest[-1] == rest[-2]
            return stem(rest[:-1] if doubled else rest)
    return word


def _meanings() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _MEANINGS.strip().splitlines():
        group = line.split()
        for word in group:
            found[stem(word)] = (*found.get(stem(word), ()), f"={group[0]}")
    return found


MEANINGS = _meanings()
"""The meanings of a word, written `=word` so that none is taken for a word itself. Some words have two."""
