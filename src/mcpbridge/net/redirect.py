"""Which redirects are followed: inside the origin only, so that no credential ever crosses (RFC 9110 section 15.4)."""

from __future__ import annotations

import httpx2

MOST = 5
"""Redirects that one request follows."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OF_BODY = ("content-type", "content-length", "content-encoding", "transfer-encoding")


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454 section 4)."""
    return url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)


def redirected(request: httpx2.Request, response: httpx2.Response) -> httpx2.Request | None:
    """The request that a redirect asks for, or None where it is not followed.

    307 and 308 repeat the request; 303 becomes a GET; 301 and 302 are followed for GET and HEAD only, since clients
    disagree on what they do to a write.
    """
    status, place = response.status_code, response.headers.get("location")
    safe = request.method in {"GET", "HEAD"}
    if place is None or status not in {301, 302, 303, 307, 308} or (status in {301, 302} and not safe):
        return None
    try:
        url = httpx2.URL(request.url).join(place)  # a URL that masks its text is joined as what it is
    except httpx2.InvalidURL:
        return None
    if origin(url) != origin(request.url):
        return None
    if status == 303 and not safe:
        kept = [pair for pair in request.headers.multi_items() if pair[0].lower() not in _OF_BODY]
        return httpx2.Request("GET", url, headers=kept, extensions=request.extensions)
    return httpx2.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
    )
