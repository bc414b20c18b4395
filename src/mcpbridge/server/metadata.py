"""`ResourceMetadata`: what the gateway says of itself (RFC 9728), so that clients find out where to log in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mcpbridge.auth.oauth.checks import Unsound, checked_issuer, is_loopback
from mcpbridge.auth.oauth.metadata import resource_places
from mcpbridge.errors import ConfigError
from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceMetadata:
    """The gateway's metadata, for `to_asgi(resource=…)`.

    url       the gateway's public URL as clients use it, such as `https://gateway.example/mcp`: what tokens are for
    issuers   who issues tokens for it
    scopes    that a client may ask for
    required  scopes without which a token is answered with 403
    name      for people

    Raises: ConfigError for URLs that can't be, and for no issuer.
    """

    url: str
    issuers: Sequence[str]
    scopes: Sequence[str] = ()
    required: Sequence[str] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if not self.issuers:
            raise ConfigError("ResourceMetadata needs issuers=[…]: who issues tokens for the gateway")
        try:
            for what, url in (("url", self.url), *(("issuer", each) for each in self.issuers)):
                checked_issuer(what, url, loopback=is_loopback(url))
        except Unsound as error:
            raise ConfigError(f"ResourceMetadata: {error}; write it as https://host/path") from None

    @property
    def place(self) -> str:
        """The URL of the document (RFC 9728 section 3.1)."""
        return resource_places(self.url)[0]

    def document(self) -> dict[str, Json]:
        """The document (RFC 9728 section 2)."""
        scopes = [*dict.fromkeys([*self.required, *self.scopes])]
        return {
            "resource": self.url,
            "authorization_servers": [*self.issuers],
            "bearer_methods_supported": ["header"],
            **({"scopes_supported": scopes} if scopes else {}),
            **({"resource_name": self.name} if self.name else {}),
        }

    def challenge(self) -> bytes:
        """The `WWW-Authenticate` header of a request without a caller (RFC 9728 section 5.1)."""
        return f'Bearer resource_metadata="{self.place}"'.encode("ascii")

    def pointer(self) -> AnyHttpUrl:
        """The document's URL, for the SDK."""
        return AnyHttpUrl(self.place)


def metadata_routes(resource: ResourceMetadata) -> Sequence[Route]:
    """The document's route, at the root of the origin: for a host that mounts `to_asgi` below a path of its own."""

    async def document(_request: Request) -> Response:
        return JSONResponse(resource.document(), headers={"Cache-Control": "public, max-age=3600"})

    return [Route(urlsplit(resource.place).path, document, methods=["GET"])]
