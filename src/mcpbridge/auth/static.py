"""Strategies with a fixed credential: bearer token, API key, basic, several headers. They work in any httpx2 client.

A credential is a text, a `Secret`, or a function that gives either (asked for each request). It is checked at
construction where it is there already, and shown by no `repr`, message or log.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Mapping
from typing import Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import quote, unquote_plus

import httpx2

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.headers import TOKEN
from mcpbridge.openapi.plaintext import Unfit, checked_header
from mcpbridge.secret import MASK, Secret

Credential: TypeAlias = str | Secret | Callable[[], str | Secret]
Place: TypeAlias = Literal["header", "query", "cookie"]

_ENDS_COOKIE = set(' ",;\\')


@runtime_checkable
class Writing(Protocol):
    """A strategy that says where it puts its credential, so that no other one is put over it."""

    def writes(self) -> frozenset[tuple[Place, str]]:
        """The places and names there; headers in lower case."""
        ...


class _Static(httpx2.Auth):
    """A strategy that signs once and needs no answer."""

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        self.sign(request)
        yield request

    def sign(self, request: httpx2.Request) -> None:
        raise NotImplementedError

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset({("header", "authorization")})


class Bearer(_Static):
    """`Authorization: Bearer TOKEN` (RFC 6750 section 2.1); another prefix such as `Token`, or "" for the bare value.

    Raises: ConfigError for an empty token, or one that no header can carry.
    """

    def __init__(self, token: Credential, prefix: str = "Bearer") -> None:
        self._token = _kept("a bearer token", token)
        self._prefix = f"{_checked('a prefix', prefix)} " if prefix else ""

    def sign(self, request: httpx2.Request) -> None:
        request.headers["Authorization"] = self._prefix + _revealed("a bearer token", self._token)

    def __repr__(self) -> str:
        return f"Bearer({MASK!r}, prefix={self._prefix.strip()!r})"


class ApiKey(_Static):
    """A key under a name, in a header, the query or a cookie. It replaces what the request holds under that name.

    A key in the query is masked in the request's URL as text, so that a client's log does not show it.

    Raises: ConfigError for an empty key or name, or another place.
    """

    def __init__(self, value: Credential, name: str, where: Place = "header") -> None:
        if where not in ("header", "query", "cookie"):
            raise ConfigError(f"ApiKey(where={where!r}) must be 'header', 'query' or 'cookie'")
        if not name or (where != "query" and TOKEN.fullmatch(name) is None):
            raise ConfigError(f"ApiKey(name={name!r}) is no name of a {where}")
        self._value = _kept(f"the API key {name!r}", value)
        if where == "cookie" and isinstance(self._value, Secret) and set(self._value.reveal()) & _ENDS_COOKIE:
            raise ConfigError(f"the API key {name!r} holds a character that no cookie can (RFC 6265 section 4.1.1)")
        self._name = name
        self._where: Place = where

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset({(self._where, self._name.lower() if self._where == "header" else self._name)})

    def sign(self, request: httpx2.Request) -> None:
        value = _revealed(f"the API key {self._name!r}", self._value)
        if self._where == "header":
            request.headers[self._name] = value
        elif self._where == "query":
            request.url = _with_query(request.url, self._name, value)
        else:
            request.headers["Cookie"] = _with_cookie(request.headers.get("Cookie", ""), self._name, value)

    def __repr__(self) -> str:
        return f"ApiKey({MASK!r}, {self._name!r}, where={self._where!r})"


class Basic(_Static):
    """HTTP basic authentication in UTF-8 (RFC 7617).

    Raises: ConfigError for a user name with a colon.
    """

    def __init__(self, user: str | Secret, password: Credential) -> None:
        self._user = Secret.of(user)
        if ":" in self._user.reveal():
            raise ConfigError("Basic: a user name can't hold a colon (RFC 7617 section 2)")
        self._password = password if callable(password) else as_secret("the password", password)

    def sign(self, request: httpx2.Request) -> None:
        password = Secret.of(self._password() if callable(self._password) else self._password)
        pair = f"{self._user.reveal()}:{password.reveal()}".encode()
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")

    def __repr__(self) -> str:
        return f"Basic({MASK!r}, {MASK!r})"


class Headers(_Static):
    """Several headers, such as `Headers({"DD-API-KEY": key, "DD-APPLICATION-KEY": other})`.

    Raises: ConfigError for an empty value, or a name or value that no header can carry.
    """

    def __init__(self, headers: Mapping[str, Credential]) -> None:
        for name in headers:
            if TOKEN.fullmatch(name) is None:
                raise ConfigError(f"Headers: {name!r} is no name of a header")
        self._headers = {name: _kept(f"the header {name!r}", value) for name, value in headers.items()}

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset(("header", name.lower()) for name in self._headers)

    def sign(self, request: httpx2.Request) -> None:
        for name, value in self._headers.items():
            request.headers[name] = _revealed(f"the header {name!r}", value)

    def __repr__(self) -> str:
        return f"Headers({dict.fromkeys(self._headers, MASK)!r})"


def writes(auth: httpx2.Auth) -> frozenset[tuple[Place, str]]:
    """Where a strategy puts its credentials, headers in lower case; empty for one that does not say."""
    return auth.writes() if isinstance(auth, Writing) else frozenset()


class _Masked(httpx2.URL):
    """A URL whose text does not show one query parameter's value; what is sent is the whole."""

    def __init__(self, url: httpx2.URL, shown: str) -> None:
        super().__init__(url)
        self._shown = shown

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"URL({self._shown!r})"


def _with_query(url: httpx2.URL, name: str, value: str) -> httpx2.URL:
    """The URL with the parameter put last, in place of others of that name."""
    key = quote(name, safe="")
    pairs = url.query.decode("ascii").split("&")
    others = [pair for pair in pairs if pair and unquote_plus(pair.partition("=")[0]) != name]
    bare = httpx2.URL(url, query=None)
    separator = "&" if others else ""
    given = "&".join(others) + separator + f"{key}="
    return _Masked(bare.copy_with(query=(given + quote(value, safe="")).encode()), f"{bare}?{given}{MASK}")


def _with_cookie(header: str, name: str, value: str) -> str:
    others = [pair for pair in header.split("; ") if pair and pair.partition("=")[0] != name]
    return "; ".join([*others, f"{name}={value}"])


def _kept(what: str, value: Credential) -> Secret | Callable[[], str | Secret]:
    if callable(value):
        return value
    secret = as_secret(what, value)
    _checked(what, secret.reveal())
    return secret


def _revealed(what: str, value: Secret | Callable[[], str | Secret]) -> str:
    return value.reveal() if isinstance(value, Secret) else _checked(what, as_secret(what, value()).reveal())


def as_secret(what: str, value: object) -> Secret:
    """The credential as a secret. Raises: ConfigError for what is neither text nor a `Secret`, without showing it."""
    if not isinstance(value, str | Secret):
        raise ConfigError(f"{what} must be text or a Secret, not {type(value).__name__}")
    try:
        return Secret.of(value)
    except ValueError as error:
        raise ConfigError(f"{what}: {error}") from None


def _checked(what: str, text: str) -> str:
    """Text that a header can carry, and some of it. Raises: ConfigError, without the text."""
    try:
        if text and checked_header(text).isascii():
            return text
    except Unfit:
        pass
    raise ConfigError(f"{what} must be ASCII text of one line, not empty, without spaces at its ends")
