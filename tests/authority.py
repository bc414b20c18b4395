"""An authorization server made of authlib's server side, on a loopback port: what the OAuth tests log in at.

It tells of itself (RFC 9728, RFC 8414), registers clients (RFC 7591), does the authorization code with PKCE, refresh
tokens that rotate and whose second use ends the login, client credentials with every authentication, token exchange
(RFC 8693) and revocation (RFC 7009); and it serves one protected resource, `/api`, which answers with the token's user.
Its person agrees to everything: whoever opens the authorization endpoint is the user of the header `X-Person`.
"""

# pyright: basic, reportIncompatibleVariableOverride=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportOptionalMemberAccess=false
# authlib has no types of its own, and the stubs that pyright brings are of an older one

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, InvalidRequestError, JsonRequest, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidGrantError, OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, BaseGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.grants.base import TokenEndpointMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, JsonPayload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jwk
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
METHODS = ["client_secret_basic", "client_secret_post", "none"]
ALL_METHODS = [*METHODS, "client_secret_jwt", "private_key_jwt"]


@dataclass(eq=False)
class Registered(ClientMixin):  # type: ignore[misc] # authlib's classes are untyped
    """A client."""

    client_id: str
    secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    method: str = "client_secret_basic"
    public_key: str = ""

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint != "token" or method in (self.method, "client_assertion_jwt")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


@dataclass(eq=False)
class Code:
    """An authorization code."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    user: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass(eq=False)
class Family:
    """All tokens of one login, ended together."""

    user: str
    ended: bool = False


@dataclass(eq=False)
class Issued:
    """An access token and the refresh token beside it."""

    access: str
    refresh: str | None
    client_id: str
    scope: str
    family: Family
    expires: float
    audience: str = ""
    spent: bool = False

    def check_client(self, client: Registered) -> bool:
        return client.client_id == self.client_id

    def get_scope(self) -> str:
        return self.scope

    def is_good(self) -> bool:
        return not self.family.ended and time.monotonic() < self.expires


@dataclass(eq=False)
class Authority:
    """The state of the server, and what a test may change of it while it runs.

    `lifetime` is in seconds. `down` makes the token endpoint answer 503, `said` makes it answer just this. `asked`
    lists the forms of its requests; `metadata` and `resource` are put over what it tells of itself. The
    resource `wants` a scope, or `refuses` every token.
    """

    url: str = ""
    lifetime: float = 3600.0
    down: bool = False
    said: tuple[int, bytes] | None = None
    delay: float = 0.0
    refreshes: bool = True
    wants: str = ""
    refuses: bool = False
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    resource: dict[str, Any] = field(default_factory=dict[str, Any])
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    clients: dict[str, Registered] = field(default_factory=dict[str, Registered])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    tokens: list[Issued] = field(default_factory=list[Issued])
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    revoked: list[str] = field(default_factory=list[str])

    def grants(self, name: str) -> int:
        """How many requests there were for this grant."""
        return sum(form.get("grant_type") == name for form in self.asked)

    def by_access(self, access: str) -> Issued | None:
        return next((each for each in self.tokens if secrets.compare_digest(each.access, access)), None)

    def by_refresh(self, refresh: str) -> Issued | None:
        return next((each for each in self.tokens if each.refresh == refresh), None)

    def expire(self) -> None:
        """Every access token is over; refresh tokens stay good."""
        for each in self.tokens:
            each.expires = 0.0

    def end_logins(self) -> None:
        """Every login is over."""
        for each in self.tokens:
            each.family.ended = True

    def reused(self) -> bool:
        """Whether a refresh token came twice, which ends its login."""
        return any(each.family.ended for each in self.tokens)


class _Server(AuthorizationServer):  # type: ignore[misc] # authlib's classes are untyped
    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self.authority = authority

    def query_client(self, client_id: str) -> Registered | None:
        return self.authority.clients.get(client_id)

    def save_token(self, token: Any, request: Any) -> None:
        """Kept by `generate_token`, which knows the family."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> Any:
        if isinstance(request, OAuth2Request):
            return request
        made = _Request(request.method, str(request.url), headers=request.headers)
        made.payload = BasicOAuth2Payload(request.state.form)
        made.given = request.state.form
        return made

    def create_json_request(self, request: Any) -> Any:
        made = JsonRequest(request.method, str(request.url), request.headers)
        made.payload = _Json(request.state.document)
        return made

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if isinstance(body, dict):
            return JSONResponse(body, status, headers=dict(headers))
        return Response(body or b"", status, headers=dict(headers))


class _Request(OAuth2Request):  # type: ignore[misc] # authlib's classes are untyped
    given: dict[str, str]

    @property
    def args(self) -> dict[str, str]:
        return self.given

    @property
    def form(self) -> dict[str, str]:
        return self.given


class _Json(JsonPayload):  # type: ignore[misc] # authlib's classes are untyped
    def __init__(self, document: Any) -> None:
        self._document = document

    @property
    def data(self) -> Any:
        return self._document


class _Code(AuthorizationCodeGrant):  # type: ignore[misc] # authlib's classes are untyped
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [*METHODS, "client_assertion_jwt"]

    def save_authorization_code(self, code: str, request: Any) -> None:
        payload = request.payload.data
        self.server.authority.codes[code] = Code(
            code=code,
            client_id=payload["client_id"],
            redirect_uri=payload["redirect_uri"],
            scope=payload.get("scope", ""),
            user=request.user,
            code_challenge=payload["code_challenge"],
            code_challenge_method=payload["code_challenge_method"],
        )

    def query_authorization_code(self, code: str, client: Registered) -> Code | None:
        found: Code | None = self.server.authority.codes.get(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        self.server.authority.codes.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: Code) -> Family:
        return Family(authorization_code.user)


class _Refresh(RefreshTokenGrant):  # type: ignore[misc] # authlib's classes are untyped
    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [*METHODS, "client_assertion_jwt"]

    def authenticate_refresh_token(self, refresh_token: str) -> Issued | None:
        found: Issued | None = self.server.authority.by_refresh(refresh_token)
        if found is not None and found.spent:
            found.family.ended = True  # RFC 9700 section 4.14.2
        return found if found is not None and not found.family.ended else None

    def authenticate_user(self, refresh_token: Issued) -> Family:
        return refresh_token.family

    def revoke_old_credential(self, refresh_token: Issued) -> None:
        refresh_token.spent = True


class _Credentials(ClientCredentialsGrant):  # type: ignore[misc] # authlib's classes are untyped
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post", "client_assertion_jwt"]


class _Exchange(BaseGrant, TokenEndpointMixin):  # type: ignore[misc] # authlib's classes are untyped
    GRANT_TYPE = EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post"]

    def validate_token_request(self) -> None:
        self.request.client = self.authenticate_token_endpoint_client()
        form = self.request.form
        if form.get("subject_token_type") != "urn:ietf:params:oauth:token-type:access_token":
            raise InvalidRequestError("subject_token_type")
        subject = self.server.authority.by_access(form.get("subject_token", ""))
        if subject is None or not subject.is_good():
            raise InvalidGrantError
        self.request.user = Family(subject.family.user)

    def create_token_response(self) -> Any:
        token = self.generate_token(
            user=self.request.user, scope=self.request.payload.scope, include_refresh_token=False
        )
        return 200, {**token, "issued_token_type": self.request.form["subject_token_type"]}, self.TOKEN_RESPONSE_HEADER


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc] # authlib's classes are untyped
    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self.authority = authority
        self.used: set[str] = set()

    def get_audiences(self) -> list[str]:
        return [self.authority.url, f"{self.authority.url}/token"]

    def validate_jti(self, claims: Any, jti: str) -> bool:
        new = jti not in self.used
        self.used.add(jti)
        return new

    def resolve_client_public_key(self, client: Registered) -> Any:
        if client.public_key:
            return jwk.import_key(client.public_key, "RSA")
        return jwk.OctKey.import_key(client.secret)


class _Revocation(RevocationEndpoint):  # type: ignore[misc] # authlib's classes are untyped
    CLIENT_AUTH_METHODS: ClassVar = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Issued | None:
        authority: Authority = self.server.authority
        return authority.by_refresh(token_string) or authority.by_access(token_string)

    def revoke_token(self, token: Issued, request: Any) -> None:
        token.family.ended = True
        self.server.authority.revoked.append(request.form["token_type_hint"])


class _Registration(ClientRegistrationEndpoint):  # type: ignore[misc] # authlib's classes are untyped
    def get_server_metadata(self) -> Any:
        return {"token_endpoint_auth_methods_supported": METHODS}

    def authenticate_token(self, request: Any) -> str:
        return "anybody"

    def save_client(self, client_info: Any, client_metadata: Any, request: Any) -> Registered:
        client = Registered(
            client_id=client_info["client_id"],
            secret=client_info["client_secret"],
            redirect_uris=tuple(client_metadata["redirect_uris"]),
            method=client_metadata["token_endpoint_auth_method"],
        )
        self.server.authority.clients[client.client_id] = client
        return client


def _server(authority: Authority) -> _Server:
    server = _Server(authority)

    def generate(grant_type: str, client: Any, user: Any = None, scope: Any = None, **options: Any) -> Any:
        refresh = options.get("include_refresh_token", True) and authority.refreshes
        issued = Issued(
            access=f"access-{secrets.token_urlsafe(16)}",
            refresh=f"refresh-{secrets.token_urlsafe(16)}" if refresh and grant_type != "client_credentials" else None,
            client_id=client.client_id,
            scope=scope or "",
            family=user or Family(client.client_id),
            expires=time.monotonic() + authority.lifetime,
        )
        authority.tokens.append(issued)
        token = {"access_token": issued.access, "token_type": "Bearer", "expires_in": authority.lifetime}
        token |= {"refresh_token": issued.refresh} if issued.refresh else {}
        return token | ({"scope": scope} if scope else {})

    server.register_token_generator("default", generate)
    server.register_grant(_Code, [CodeChallenge(required=True)])
    for grant in (_Refresh, _Credentials, _Exchange):
        server.register_grant(grant)
    server.register_client_auth_method("client_assertion_jwt", _Assertion(authority))
    server.register_endpoint(_Revocation)
    server.register_endpoint(_Registration)
    return server


async def _form(request: Request) -> dict[str, str]:
    """The parameters of the body, or of the query; authlib's request finds them there."""
    body = (await request.body()).decode()
    request.state.form = dict(parse_qsl(body or request.url.query, keep_blank_values=True))
    return dict(request.state.form)


class _Pages:
    """The server's endpoints."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.server: Any = _server(authority)

    async def metadata(self, request: Request) -> Response:
        url = self.authority.url
        told = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "registration_endpoint": f"{url}/register",
            "revocation_endpoint": f"{url}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ALL_METHODS,
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(told | self.authority.metadata, self.authority.statuses.get("server", 200))

    async def resource(self, request: Request) -> Response:
        url = self.authority.url
        told = {"resource": f"{url}/api", "authorization_servers": [url]}
        return JSONResponse(told | self.authority.resource, self.authority.statuses.get("resource", 200))

    async def authorize(self, request: Request) -> Response:
        await _form(request)
        try:
            grant = self.server.get_consent_grant(request, end_user=request.headers.get("x-person", "ann"))
        except OAuth2Error as error:
            return JSONResponse({"error": error.error}, 400)
        answer = self.server.create_authorization_response(request, grant_user=grant.request.user, grant=grant)
        place = answer.headers["location"]
        issuer = self.authority.metadata.get("issuer", self.authority.url)
        return RedirectResponse(f"{place}{'&' if '?' in place else '?'}iss={issuer}", 302)

    async def token(self, request: Request) -> Response:
        authority = self.authority
        shown = {name: text for name, text in (await _form(request)).items() if name not in ("client_secret", "code")}
        authority.asked.append({**shown, "at": str(time.monotonic())})
        if authority.delay:
            await asyncio.sleep(authority.delay)
        if authority.down:
            return JSONResponse({"error": "temporarily_unavailable"}, 503)
        if authority.said is not None:
            return Response(authority.said[1], authority.said[0], media_type="application/json")
        answer: Response = self.server.create_token_response(request)
        return answer

    async def revoke(self, request: Request) -> Response:
        await _form(request)
        answer: Response = self.server.create_endpoint_response("revocation", request)
        return answer

    async def register(self, request: Request) -> Response:
        request.state.document = json.loads(await request.body())
        answer: Response = self.server.create_endpoint_response("client_registration", request)
        return answer

    async def api(self, request: Request) -> Response:
        authority = self.authority
        issued = authority.by_access(request.headers.get("authorization", "").partition(" ")[2])
        if issued is None or not issued.is_good() or authority.refuses:
            place = f"{authority.url}/.well-known/oauth-protected-resource/api"
            return Response(status_code=401, headers={"WWW-Authenticate": f'Bearer resource_metadata="{place}"'})
        if authority.wants and authority.wants not in issued.scope.split():
            wanted = f'Bearer error="insufficient_scope", scope="{authority.wants}"'
            return Response(status_code=403, headers={"WWW-Authenticate": wanted})
        return JSONResponse({"user": issued.family.user, "scope": issued.scope})


def app_of(authority: Authority) -> Starlette:
    """The server as an ASGI app."""
    pages = _Pages(authority)
    return Starlette(
        routes=[
            Route("/.well-known/oauth-authorization-server", pages.metadata),
            Route("/.well-known/oauth-authorization-server/tenant", pages.metadata),
            Route("/.well-known/oauth-protected-resource/api", pages.resource),
            Route("/authorize", pages.authorize),
            Route("/token", pages.token, methods=["POST"]),
            Route("/revoke", pages.revoke, methods=["POST"]),
            Route("/register", pages.register, methods=["POST"]),
            Route("/api", pages.api, methods=["GET", "POST"]),
        ]
    )


@contextmanager
def running_authority() -> Generator[Authority]:
    """An authority that answers on a loopback port until the block ends, in a thread of its own."""
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        authority.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(app_of(authority), log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield authority
        finally:
            server.should_exit = True
            thread.join(timeout=5)
