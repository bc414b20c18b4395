"""`fetch_document`: a description from a URL, with the documents around it that it may refer to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from mcpbridge.errors import ConfigError, DescriptionError, Failure, UpstreamError
from mcpbridge.net.fetch import Fetched, Fetcher, web_url
from mcpbridge.net.guard import PUBLIC, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.redirect import origin
from mcpbridge.net.upstream import where
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits

DOCUMENTS = 200
"""How many documents one description may be spread over."""


async def fetch_document(
    url: str,
    *,
    references: Collection[str] = (),
    limits: Limits | None = None,
    strict: bool = False,
    guard: Guard | None = None,
) -> Document:
    """A description at a URL that the host names, and the documents that its references name.

    For a URL that somebody else named, `guard` says where it may lead, and its references too.

    Those below the URL's own folder are fetched too, as files beside a file are. Others need their origin in
    `references` (`https://schemas.example.com`); `"*"` there lets them name any public address. What is not fetched is
    one of the document's problems.

    Raises: UpstreamError where the description itself can't be had; DescriptionError.
    """
    origins = [each for each in references if each != "*"]
    named = [url, *origins] if guard is None else origins
    async with Fetcher(named, limits=limits, guard=guard or PUBLIC) as fetcher:
        entry = await fetcher.fetch(url)
        if entry.status != 200:
            raise UpstreamError(_unread(url, entry.status))
        outside = _Outside(fetcher, entry.url, {origin(web_url(each)) for each in origins}, anywhere="*" in references)
        return await outside.document(entry, strict=strict)


@dataclass(slots=True)
class _Outside:
    """The documents around one description: read, found to be missing, fetched, and read again."""

    fetcher: Fetcher
    entry: str
    origins: set[tuple[str, str, int | None]]
    anywhere: bool
    had: dict[str, bytes | str] = field(default_factory=dict[str, "bytes | str"])
    missing: set[str] = field(default_factory=set[str])

    async def document(self, entry: Fetched, *, strict: bool) -> Document:
        limits = self.fetcher.limits
        reading = ReadLimits(bytes=limits.description, operations=limits.operations, seconds=limits.parse)
        while True:
            document = Document.parse(entry.content, origin=entry.url, retrieve=self.retrieve, limits=reading)
            document.read_all()
            if not self.missing:
                break
            await self.fetch_missing()
        if strict:
            return Document.parse(entry.content, origin=entry.url, retrieve=self.retrieve, limits=reading, strict=True)
        return document

    def retrieve(self, address: str) -> bytes:
        """What was fetched. Raises: DescriptionError, for now or for good."""
        found = self.had.get(address)
        if isinstance(found, bytes):
            return found
        if isinstance(found, str):
            raise DescriptionError(found)
        if not self.allows(address):
            raise DescriptionError("it is elsewhere, and is not fetched; an operator can allow its origin")
        self.missing.add(address)
        raise DescriptionError("it is not fetched yet")

    def allows(self, address: str) -> bool:
        folder = self.entry.rpartition("/")[0] + "/"
        if self.anywhere or (address.startswith(folder) and "/../" not in address):
            return True
        return origin(web_url(address)) in self.origins

    async def fetch_missing(self) -> None:
        wanted, self.missing = sorted(self.missing), set()
        if len(self.had) + len(wanted) > DOCUMENTS:
            raise DescriptionError(f"the description refers to more than {DOCUMENTS} other documents; bundle it")
        got = await asyncio.gather(*(self.fetch_one(address) for address in wanted))
        self.had.update(zip(wanted, got, strict=True))
        if sum(map(len, self.had.values())) > self.fetcher.limits.description:
            raise DescriptionError(
                f"its documents are larger than {self.fetcher.limits.description} bytes together; raise the limit"
            )

    async def fetch_one(self, address: str) -> bytes | str:
        """The document, or why there is none."""
        try:
            fetched = await self.fetcher.fetch(address)
        except UpstreamError as error:
            return str(error)
        except ConfigError as error:
            return str(error)
        return fetched.content if fetched.status == 200 else f"{where(web_url(address))} answered {fetched.status}"


def _unread(url: str, status: int) -> Failure:
    return Failure(
        code="upstream_status",
        message=f"{where(web_url(url))} answered {status} where a description was expected",
        hint="Check the URL, or save the description to a file.",
        status=status,
        sent="yes",
    )
