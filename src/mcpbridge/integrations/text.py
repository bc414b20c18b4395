"""Texts of a record: readable ones, and URLs."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
)
"""Controls other than tab and line feed, what is not visible, what changes the direction, and lone surrogates."""

_NO_URL = re.compile(r"[\s\\<>\"]|[^\x21-\x7e]")


def readable(text: str) -> str:
    """The text, where a person sees all of it. Raises: ValueError."""
    if _UNSEEN.search(text):
        raise ValueError("holds control or invisible characters: write plain text")
    return text


def http_url(text: str) -> str:
    """The URL, where a request can be sent to it as it stands. Raises: ValueError, without the URL."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or _NO_URL.search(text):
        raise ValueError("must be an absolute URL of http or https, such as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user name or password: use auth of type basic")
    if parts.fragment:
        raise ValueError("must have no fragment (#…), which is never sent")
    if "{" in host:
        raise ValueError("must hold no variable in its host: write the value")
    return text


Line: TypeAlias = Annotated[str, StringConstraints(max_length=200), AfterValidator(readable)]
Prose: TypeAlias = Annotated[str, StringConstraints(max_length=4000), AfterValidator(readable)]
Word: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(readable)]
Words: TypeAlias = Annotated[tuple[Word, ...], Field(max_length=10_000)]
Url: TypeAlias = Annotated[str, StringConstraints(max_length=4000), AfterValidator(http_url)]
