"""The pages that a browser sees before and after a login: plain, escaped, in no frame, and without a script. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_ASKING: Final[Mapping[str, str]] = {
    **HEADERS,
    # without a limit to forms, since browsers apply it to the redirect that answers one, which goes elsewhere
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",  # under no-referrer a browser sends its form with `Origin: null`
}


def page(title: str, text: str, status: int) -> HTMLResponse:
    """A page that says one thing."""
    return HTMLResponse(_document(title, escape(text)), status, headers=dict(HEADERS))


def asking(integration: str, user: str) -> HTMLResponse:
    """The page that asks whoever opened a link whether they asked for it; its form goes to the page's own URL."""
    whose = f"the account {user!r}" if user else "everybody here"
    text = (
        f"This connects {integration!r} for {whose}. Go on only if you asked for this yourself, just now: "
        "whoever sent you this link otherwise would get to use what you log in to."
    )
    form = "<form method=post><button>Log in</button></form>"
    return HTMLResponse(_document("Log in?", f"{escape(text)}</p>{form}<p>"), headers=dict(_ASKING))


def _document(title: str, body: str) -> str:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
    return f"{head}<h1>{escape(title)}</h1><p>{body}</p></html>"
