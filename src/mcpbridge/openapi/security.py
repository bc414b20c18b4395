"""What a description says of authentication, as proposals that a host can accept (OpenAPI 3.1 section 4.8.27).

A description only proposes: no credential is ever sent because of it alone, and where tokens come from is the host's
word. `auth_from` makes a strategy of a proposal and a secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import operations_of
from mcpbridge.openapi.reading import Node, Reading, object_in, text_in
from mcpbridge.openapi.wording import line
from mcpbridge.tools import Json

SchemeKind: TypeAlias = Literal["bearer", "basic", "http", "api_key", "oauth2", "openid", "mtls", "unknown"]

_WHERE: Mapping[str, Literal["header", "query", "cookie"]] = {"query": "query", "cookie": "cookie"}
_FLOWS_2 = {"accessCode": "authorizationCode", "application": "clientCredentials"}
_FLOW_URLS = ("authorizationUrl", "tokenUrl", "refreshUrl", "deviceAuthorizationUrl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheme:
    """One security scheme. `where` and `key` are set for an API key; `prefix` is what stands before the value in
    `Authorization`; `flows` holds the URLs and `scopes` of each OAuth 2.0 flow by its OpenAPI 3 name.
    """

    name: str
    kind: SchemeKind
    where: Literal["header", "query", "cookie"] = "header"
    key: str = "Authorization"
    prefix: str = ""
    flows: Mapping[str, Mapping[str, Json]] = field(default_factory=dict[str, Mapping[str, Json]])
    url: str = ""
    description: str = ""

    def record(self, scopes: Sequence[str] = ()) -> dict[str, Json]:
        """The `auth:` of an integration, with `${PLACEHOLDER}`s for what only the host knows."""
        mark = "".join(letter if letter.isalnum() else "_" for letter in self.name).upper()
        match self.kind:
            case "bearer" | "http":
                return {"type": "bearer", "prefix": self.prefix, "token": f"${{{mark}}}"}
            case "basic":
                return {"type": "basic", "user": f"${{{mark}_USER}}", "password": f"${{{mark}_PASSWORD}}"}
            case "api_key":
                return {"type": "api_key", "in": self.where, "name": self.key, "value": f"${{{mark}}}"}
            case "oauth2" | "openid":
                known = {"flows": self.flows} if self.flows else {"openid_url": self.url}
                return {"type": "oauth2", "scopes": " ".join(scopes), **known}
            case "mtls" | "unknown":
                return {"type": self.kind}


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """One way to authenticate: all of these schemes together. `operations` says how many operations take it."""

    schemes: Sequence[Scheme]
    scopes: Sequence[str] = ()
    operations: int = 0

    def records(self) -> Sequence[Mapping[str, Json]]:
        """The `auth:` of an integration for each scheme."""
        return [scheme.record(self.scopes) for scheme in self.schemes]


def propose_auth(document: Document) -> Sequence[Proposal]:
    """The ways to authenticate, the one that the most operations take first; unused schemes come last."""
    schemes = dict(_schemes(document.reading))
    uses: Counter[tuple[str, ...]] = Counter()
    scopes: dict[tuple[str, ...], dict[str, None]] = {}
    for operation in operations_of(document.reading):
        for requirement in operation.security or ():
            names = tuple(sorted(requirement))
            if names and all(name in schemes for name in names):
                uses[names] += 1
                wanted = scopes.setdefault(names, {})
                wanted.update((scope, None) for name in names for scope in requirement[name])
    for name in schemes:
        if not any(name in names for names in uses):
            uses[name,] = 0
    return [
        Proposal(schemes=[schemes[name] for name in names], scopes=[*scopes.get(names, ())], operations=count)
        for names, count in uses.most_common()
    ]


def _schemes(reading: Reading) -> Iterator[tuple[str, Scheme]]:
    """The schemes of OpenAPI 3 (`components.securitySchemes`) or Swagger 2.0 (`securityDefinitions`)."""
    root = reading.root
    for holder, key in ((object_in(root, "components"), "securitySchemes"), (root, "securityDefinitions")):
        for name, stated in object_in(holder, key).items():
            found = reading.follow(stated, reading.references.base, (((None, "components"), key), name))
            value: object = None if found is None else found.value
            if isinstance(value, dict):
                yield name, _scheme(name, cast("Node", value))


def _scheme(name: str, raw: Node) -> Scheme:
    said = line(text_in(raw, "description"), 300)
    kind = text_in(raw, "type")
    if kind == "http" or kind == "basic":
        return _http(name, text_in(raw, "scheme") if kind == "http" else "basic", said)
    if kind == "apiKey":
        where = _WHERE.get(text_in(raw, "in"), "header")
        key = text_in(raw, "name") or "Authorization"
        return Scheme(name=name, kind="api_key", where=where, key=key, description=said)
    if kind == "oauth2":
        return Scheme(name=name, kind="oauth2", prefix="Bearer", flows=_flows(raw), description=said)
    if kind == "openIdConnect":
        url = text_in(raw, "openIdConnectUrl")
        return Scheme(name=name, kind="openid", prefix="Bearer", url=url, description=said)
    return Scheme(name=name, kind="mtls" if kind == "mutualTLS" else "unknown", description=said)


def _http(name: str, scheme: str, description: str) -> Scheme:
    """An authentication scheme of HTTP; the words of the registry are case-insensitive (RFC 9110 section 11.1)."""
    match scheme.lower():
        case "basic":
            return Scheme(name=name, kind="basic", description=description)
        case "bearer" | "":
            return Scheme(name=name, kind="bearer", prefix="Bearer", description=description)
        case _:
            return Scheme(name=name, kind="http", prefix=scheme, description=description)


def _flows(raw: Node) -> Mapping[str, Mapping[str, Json]]:
    if "flows" in raw:
        stated = object_in(raw, "flows")
        return {name: _flow(object_in(stated, name)) for name in stated if not name.startswith("x-")}
    flow = text_in(raw, "flow")
    return {_FLOWS_2.get(flow, flow): _flow(raw)} if flow else {}


def _flow(raw: Node) -> Mapping[str, Json]:
    flow: dict[str, Json] = {key: raw[key] for key in _FLOW_URLS if isinstance(raw.get(key), str)}
    return {**flow, "scopes": {str(name): str(text) for name, text in object_in(raw, "scopes").items()}}
