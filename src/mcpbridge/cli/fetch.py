"""Fetches a description from the URL that the command line named."""

from __future__ import annotations

import time

from mcpbridge.errors import Failure, UpstreamError

SIZE = 64 * 1024 * 1024
SECONDS = 20.0


def fetch(url: str, *, required: bool) -> bytes | None:
    """The body at a URL, at most 64 MiB within 20 s; None for an answer that is no document, unless one is `required`.

    Redirects are followed: whoever wrote the command named the address, and no credential goes with the request.

    Raises: UpstreamError.
    """
    import httpx2  # noqa: PLC0415 - the import budget: a description in a file needs no HTTP client

    deadline = time.monotonic() + SECONDS
    body = bytearray()
    try:
        with httpx2.stream("GET", url, headers=_ACCEPT, follow_redirects=True, timeout=SECONDS) as answer:
            if answer.status_code != 200 or "event-stream" in answer.headers.get("content-type", ""):
                if required:
                    raise _failed(
                        url, f"answered {answer.status_code}", "Check the URL, or save the description to a file."
                    )
                return None
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > SIZE or time.monotonic() > deadline:
                    raise _failed(url, "is too large or too slow (64 MiB, 20 s)", "Save it to a file.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise _failed(url, f"can't be reached: {reason}", "Check the address, and that its server runs.") from error
    return bytes(body)


_ACCEPT = {"Accept": "application/json, application/yaml, text/yaml, */*;q=0.5"}


def _failed(url: str, what: str, hint: str) -> UpstreamError:
    return UpstreamError(Failure(code="unreachable", message=f"{url} {what}", hint=hint))
