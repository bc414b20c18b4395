"""`HmacSignature`: requests signed with a shared secret by a template, and webhooks verified by the same one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, Self, TypeAlias

import httpx2

from mcpbridge.auth.hmac_keys import KeyEncoding, signing_keys
from mcpbridge.auth.hmac_message import OF_ADDRESS, Signed, lower
from mcpbridge.auth.hmac_template import OF_MESSAGE, check_together, header_template, read_back, read_template
from mcpbridge.auth.hmac_times import FORMATS, TimeFormat, read_time, written_time
from mcpbridge.auth.hmac_verified import SignatureRefused, Verified, only
from mcpbridge.auth.static import Credential, Place
from mcpbridge.errors import ConfigError
from mcpbridge.secret import MASK

Digest: TypeAlias = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding: TypeAlias = Literal["hex", "base64", "base64url"]

TOLERANCE = 300.0
"""Seconds that a webhook's time may differ from ours, as Slack, Stripe and Standard Webhooks advise."""

_ENCODE: Mapping[Encoding, Callable[[bytes], bytes]] = {
    "hex": lambda raw: raw.hex().encode(),
    "base64": base64.b64encode,
    "base64url": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"="),
}


class HmacSignature(httpx2.Auth):
    """Signs by a template: `HmacSignature(key, message="{body}", headers={"X-Signature": "sha256={signature}"})`.

    key         the secret, or several, newest first: the first signs, any verifies
    message     what is signed, of the fields {method} {url} {host} {path} {query} {target} (path and query)
                {header:NAME} {body} {body_digest} {timestamp} {nonce} {key_id}
    headers     what is sent, of the fields {signature} {timestamp} {nonce} {key_id}
    digest, encoding   of the signature, and of {body_digest}
    key_id      which key it is, where the other side wants to know
    key_encoding   how the key is written: text, hex, base64, or whsec (base64 behind an optional `whsec_`)
    timestamp   seconds or milliseconds of the Unix epoch, iso8601, or an http date
    separator   what stands between the parts of a header that may hold several signatures
    tolerance   seconds that a webhook's time may differ from ours; 300 where None
    nonce, clock   where they come from

    Each request is signed when it is sent, so that one that is sent again has its own time, nonce and signature. The
    body of a request is read whole where it is signed.

    Raises: ConfigError for an empty or unreadable key, an unknown field, and settings that contradict each other.
    """

    def __init__(
        self,
        key: Credential | Sequence[Credential],
        *,
        message: str,
        headers: Mapping[str, str],
        digest: Digest = "sha256",
        encoding: Encoding = "hex",
        key_id: str | None = None,
        key_encoding: KeyEncoding = "text",
        timestamp: TimeFormat = "seconds",
        separator: str = "",
        tolerance: float | None = None,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        clock: Callable[[], float] = time.time,
    ) -> None:
        _check_word("digest", digest, ("sha1", "sha256", "sha384", "sha512"))
        _check_word("encoding", encoding, tuple(_ENCODE))
        _check_word("timestamp", timestamp, FORMATS)
        self._keys = signing_keys(key, key_encoding)
        self._message = read_template("message", message, OF_MESSAGE)
        self._headers = {name: header_template(name, text, separator) for name, text in headers.items()}
        check_together(self._message, self._headers, key_id=key_id, tolerance=tolerance)
        self._digest: Digest = digest
        self._encode = _ENCODE[encoding]
        self._key_id = key_id
        self._time: TimeFormat = timestamp
        self._separator = separator
        self._tolerance = TOLERANCE if tolerance is None else tolerance
        self._nonce = nonce
        self._clock = clock
        self.requires_request_body = bool(self._message.fields & {"body", "body_digest"})

    @classmethod
    def github(cls, secret: Credential | Sequence[Credential]) -> Self:
        """GitHub's webhooks: `X-Hub-Signature-256`. They carry no time: keep the ids of deliveries to see one again."""
        return cls(secret, message="{body}", headers={"X-Hub-Signature-256": "sha256={signature}"})

    @classmethod
    def slack(cls, secret: Credential | Sequence[Credential], *, clock: Callable[[], float] = time.time) -> Self:
        """Slack's requests to apps: `X-Slack-Signature`, version v0."""
        headers = {"X-Slack-Request-Timestamp": "{timestamp}", "X-Slack-Signature": "v0={signature}"}
        return cls(secret, message="v0:{timestamp}:{body}", headers=headers, clock=clock)

    @classmethod
    def stripe(cls, secret: Credential | Sequence[Credential], *, clock: Callable[[], float] = time.time) -> Self:
        """Stripe's webhooks: `Stripe-Signature`, scheme v1. The key is the whole endpoint secret, `whsec_…`."""
        headers = {"Stripe-Signature": "t={timestamp},v1={signature}"}
        return cls(secret, message="{timestamp}.{body}", headers=headers, separator=",", clock=clock)

    @classmethod
    def standard_webhooks(
        cls,
        secret: Credential | Sequence[Credential],
        *,
        id: Callable[[], str] = lambda: "msg_" + secrets.token_hex(16),
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Standard Webhooks with symmetric keys (`whsec_…`). `id` names a message; sent again it should be the same."""
        headers = {
            "webhook-id": "{nonce}",
            "webhook-timestamp": "{timestamp}",
            "webhook-signature": "v1,{signature}",
        }
        return cls(
            secret,
            message="{nonce}.{timestamp}.{body}",
            headers=headers,
            encoding="base64",
            key_encoding="whsec",
            separator=" ",
            nonce=id,
            clock=clock,
        )

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        self._sign(request)
        yield request

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset(("header", name.lower()) for name in self._headers)

    def verify(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        now: float | None = None,
        method: str = "POST",
        url: str | None = None,
    ) -> Verified:
        """What the signature of a webhook vouches for; `body` is as it came, before it is parsed.

        `now` is in seconds of the Unix epoch; None asks the clock. `url` is the address that the sender called.

        Raises: SignatureRefused; ConfigError where the template signs the address and there is no `url`.
        """
        if url is None and self._message.fields & OF_ADDRESS.keys():
            raise ConfigError("HmacSignature.verify needs url=…: the message holds a part of the address")
        received = lower(headers)
        found = read_back(self._headers, self._separator, lambda name: received.get(name.lower(), ""))
        if not found.get("signature"):
            raise SignatureRefused(f"no signature in the headers {', '.join(self._headers)}", reason="missing")
        told = {name: only(name, texts) for name, texts in found.items() if name != "signature"}
        if unsaid := sorted((self._message.fields & {"timestamp", "nonce", "key_id"}) - told.keys()):
            raise SignatureRefused(f"no {unsaid[0]} in the headers {', '.join(self._headers)}", reason="missing")
        moment = self._checked_time(told, self._clock() if now is None else now)
        came = Signed(method=method, url=httpx2.URL(url or ""), headers=received, body=body)
        try:
            message = self._filled(came, told)
        except ConfigError as error:  # a header that is signed did not come
            raise SignatureRefused(str(error), reason="missing") from None
        given = [text.encode() for text in found["signature"]]
        for index, key in enumerate(self._keys):
            wanted = self._encode(key.sign(message, self._digest))
            if any(hmac.compare_digest(wanted, each) for each in given):
                nonce = told.get("nonce") if "nonce" in self._message.fields else None
                return Verified(timestamp=moment, nonce=nonce, key=index)
        raise SignatureRefused("no signature fits: the key or the body is another one", reason="mismatch")

    def _sign(self, request: httpx2.Request) -> None:
        told = {
            "timestamp": written_time(self._clock(), self._time),
            "nonce": self._nonce(),
            "key_id": self._key_id or "",
        }
        message = self._filled(Signed.of(request, body=self.requires_request_body), told)
        signature = self._encode(self._keys[0].sign(message, self._digest))
        values = {**{name: text.encode() for name, text in told.items()}, "signature": signature}
        for name, pieces in self._headers.items():
            parts = [piece.fill(lambda field, _: values[field]).decode("ascii") for piece in pieces]
            request.headers[name] = self._separator.join(parts)

    def _filled(self, signed: Signed, told: Mapping[str, str]) -> bytes:
        """The message: what is signed of a request."""

        def value(name: str, argument: str) -> bytes:
            if name in told:
                return told[name].encode()
            if name == "body_digest":
                return self._encode(hashlib.new(self._digest, signed.body).digest())
            return signed.part(name, argument)

        return self._message.fill(value)

    def _checked_time(self, told: Mapping[str, str], now: float) -> float | None:
        if "timestamp" not in told:
            return None
        try:
            moment = read_time(told["timestamp"], self._time)
        except ValueError:
            raise SignatureRefused(
                f"the time of the signature is not written in {self._time}", reason="malformed"
            ) from None
        if not abs(now - moment) <= self._tolerance:
            said = f"the signature's time is {now - moment:+.0f} s from ours, more than {self._tolerance:g} s"
            raise SignatureRefused(f"{said}: it is sent again, or a clock is wrong", reason="stale")
        return moment

    def __repr__(self) -> str:
        return f"HmacSignature({MASK!r}, headers={[*self._headers]})"


def _check_word(name: str, value: str, words: Sequence[str]) -> None:
    if value not in words:
        raise ConfigError(f"HmacSignature({name}={value!r}) must be one of {', '.join(words)}")
