"""`with_health`: a route by which an orchestrator asks a served gateway how it is."""

from __future__ import annotations

from collections import Counter

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpbridge.errors import ConfigError
from mcpbridge.gateway.gateway import Gateway


def with_health(app: ASGIApp, gateway: Gateway, *, path: str = "/health") -> ASGIApp:
    """The application with a route more: 200 while the gateway is entered, 503 before and after.

    Anyone who reaches the port may ask, so it counts integrations by state and names none. One that failed does not
    make the gateway unhealthy: the others go on.

    Raises: ConfigError for a path that does not start with a slash.
    """
    if not path.startswith("/"):
        raise ConfigError(f"path={path!r} must start with a slash")
    return _WithHealth(app, gateway, path)


class _WithHealth:
    def __init__(self, app: ASGIApp, gateway: Gateway, path: str) -> None:
        self._app = app
        self._gateway = gateway
        self._path = path
        self.state = getattr(app, "state", None)  # where a server that stops finds how to end streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        running = self._gateway.entered
        found = (await self._gateway.own_statuses()).values() if running else ()
        states = Counter[str](status.state for status in found)
        told = {"status": "ok" if running else "stopped", "integrations": states}
        await JSONResponse(told, status_code=200 if running else 503)(scope, receive, send)
