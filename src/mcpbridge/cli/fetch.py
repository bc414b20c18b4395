"""Fetches a description from the URL that the command line named."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from mcpbridge.errors import Failure, UpstreamError


def fetch(url: str, *, required: bool) -> bytes | None:
    """The body at a URL, at most 64 MiB within 20 s; None for an answer that is no document, unless one is `required`.

    Redirects inside the URL's own origin are followed anywhere, others to public addresses only.

    Raises: UpstreamError.
    """
    from mcpbridge.net import fetch as web  # noqa: PLC0415 - the import budget: a file needs no HTTP client

    with ThreadPoolExecutor(1) as aside:  # commands read their target inside a loop of their own
        answer = aside.submit(lambda: asyncio.run(web.fetch(url))).result()
    if answer.status == 200 and "event-stream" not in answer.headers.get("content-type", ""):
        return answer.content
    if not required:
        return None
    failure = Failure(
        code="upstream_status",
        message=f"{url} answered {answer.status} where a description was expected",
        hint="Check the URL, or save the description to a file.",
    )
    raise UpstreamError(failure)
