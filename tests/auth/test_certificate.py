"""Mutual TLS against servers that ask for a certificate."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import ssl
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
import uvicorn
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mcpbridge.auth.certificate import CertificateTransport, client_certificate
from mcpbridge.auth.certificate_context import in_memory, on_disk
from mcpbridge.auth.pem import pem_line
from mcpbridge.auth.static import Bearer
from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.guard import PUBLIC
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.secret import Secret
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call
from mcpbridge.upstream.functions import Functions
from mcpbridge.upstream.source import McpSource
from mutual import AUTHORITY, ONE, ROOTS, TWO, Server, cert_of, key_of, mutual_server

pytestmark = pytest.mark.req("AUTH-04")


def encrypted(issued: trustme.LeafCert, phrase: bytes, how: PrivateFormat = PrivateFormat.PKCS8) -> str:
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, how, BestAvailableEncryption(phrase)).decode()


def showing(issued: trustme.LeafCert = ONE, **settings: Any) -> CertificateTransport:
    return client_certificate(cert_of(issued), key_of(issued), roots=ROOTS, **settings)


@pytest.fixture
async def server() -> AsyncGenerator[Server]:
    async with mutual_server() as server:
        yield server


async def said(transport: httpx2.AsyncBaseTransport, server: Server) -> str:
    """Who the server thinks is calling."""
    answer = await Upstream(transport=transport).send(httpx2.Request("GET", server.url))
    return answer.content.decode() if isinstance(answer, Answer) else answer.code


@pytest.mark.parametrize(
    ("key", "password"),
    [
        (key_of(ONE), None),
        (Secret(pem_line(key_of(ONE))), None),
        (encrypted(ONE, b"open"), "open"),
        (Secret(pem_line(encrypted(ONE, b"open"))), Secret("open")),
        (encrypted(ONE, b"open", PrivateFormat.TraditionalOpenSSL), "open"),
    ],
    ids=["plain", "one line", "passphrase", "secret", "traditional"],
)
async def test_a_server_sees_the_certificate(server: Server, key: Any, password: Any) -> None:
    async with client_certificate(cert_of(ONE), key, password, roots=ROOTS) as transport:
        assert await said(transport, server) == "one"


async def test_a_rest_source_takes_it_beside_its_auth_and_closes_it(server: Server) -> None:
    tool = declare(name="who", method="GET", path="/")
    async with RestSource([tool], base_url=server.url, transport=showing(), auth=Bearer("t")) as source:
        result = await source.call_tool(Call(name="who", arguments={}))

    assert error_of(result) is None
    assert "one" in str(result)
    await server.until(lambda there: not there)


async def test_any_client_can_use_the_context(server: Server) -> None:
    async with httpx2.AsyncClient(verify=showing().context, trust_env=False) as client:
        assert (await client.get(server.url)).text == "one"


async def test_without_a_certificate_there_is_no_answer(server: Server) -> None:
    context = ssl.create_default_context(cadata=ROOTS)
    transport = httpx2.AsyncHTTPTransport(verify=context)

    assert await said(transport, server) in {"tls", "connection_lost"}
    await transport.aclose()


async def test_a_server_of_another_authority_is_not_trusted(server: Server) -> None:
    async with client_certificate(cert_of(ONE), key_of(ONE)) as transport:  # the system's roots
        assert await said(transport, server) == "tls"


async def test_nothing_goes_out_without_tls() -> None:
    async with showing() as transport:
        answer = await Upstream(transport=transport).send(httpx2.Request("GET", "http://localhost:1"))

    assert isinstance(answer, Failure)
    assert (answer.code, answer.sent) == ("unsendable", "no")


async def test_the_guard_holds_here_too(server: Server) -> None:
    async with showing(guard=PUBLIC) as transport:
        assert await said(transport, server) == "address_refused"


async def test_a_new_certificate_is_shown_at_once_and_what_is_under_way_ends_with_the_old(server: Server) -> None:
    async with showing() as transport:
        upstream = Upstream(transport=transport)
        slow = asyncio.ensure_future(upstream.send(httpx2.Request("GET", f"{server.url}/slow")))
        async with asyncio.timeout(10):
            await server.begun.wait()

        await transport.rotate(cert_of(TWO), key_of(TWO))
        assert await said(transport, server) == "two"
        assert server.open == {"one", "two"}

        server.let.set()
        answer = await slow
        assert isinstance(answer, Answer)
        assert answer.content == b"one"
        await server.until(lambda there: there == {"two"})


async def test_idle_connections_of_the_old_certificate_are_closed_at_once(server: Server) -> None:
    async with showing() as transport:
        assert await said(transport, server) == "one"
        await transport.rotate(cert_of(TWO), encrypted(TWO, b"open"), "open")

        await server.until(lambda there: not there)
        assert await said(transport, server) == "two"


async def test_a_certificate_that_can_not_be_used_leaves_the_old_one(server: Server) -> None:
    async with showing() as transport:
        with pytest.raises(ConfigError, match="not the key of"):
            await transport.rotate(cert_of(TWO), key_of(ONE))

        assert await said(transport, server) == "one"


async def test_leaving_closes_what_an_old_certificate_has_under_way(server: Server) -> None:
    async with showing() as transport:
        stream = await transport.handle_async_request(httpx2.Request("GET", f"{server.url}/slow"))
        await transport.rotate(cert_of(TWO), key_of(TWO))

    server.let.set()
    await server.until(lambda there: not there)
    await stream.aclose()


@asynccontextmanager
async def _mcp_over_tls(folder: Path) -> AsyncGenerator[str]:
    """A gateway behind uvicorn that asks for a certificate; the URL of its `/mcp`."""
    leaf = AUTHORITY.issue_cert("localhost")
    for name, text in {"cert": cert_of(leaf), "key": key_of(leaf), "roots": ROOTS}.items():
        (folder / name).write_text(text)
    config = uvicorn.Config(
        to_asgi(to_server(Functions(greeting), name="remote")),
        ssl_certfile=folder / "cert",
        ssl_keyfile=folder / "key",
        ssl_ca_certs=str(folder / "roots"),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
        log_level="critical",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as bound:
        running = uvicorn.Server(config)
        task = asyncio.create_task(running.serve(sockets=[bound]))
        yield f"https://localhost:{bound.getsockname()[1]}/mcp"
        running.should_exit = True
        await task


def greeting() -> str:
    """Says hello."""
    return "hello"


async def test_an_mcp_source_takes_it_and_shows_the_next_one_after_it_reconnects(tmp_path: Path) -> None:
    async with _mcp_over_tls(tmp_path) as url, showing() as transport, McpSource(url, http=transport) as source:
        first = await source.call_tool(Call(name="greeting", arguments={}))
        await transport.rotate(cert_of(TWO), key_of(TWO))
        source.reconnect()
        second = await source.call_tool(Call(name="greeting", arguments={}))

    assert ["hello" in str(result) for result in (first, second)] == [True, True]


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the number alone


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists its descriptors there")
def test_no_file_and_no_descriptor_is_left() -> None:
    showing()
    files, before = _ours(), _descriptors()
    for _ in range(3):
        showing()
        with pytest.raises(ConfigError):
            client_certificate(cert_of(TWO), key_of(ONE))

    assert (_ours(), _descriptors()) == (files, before)


def _ours() -> list[Path]:
    return [*Path(tempfile.gettempdir()).glob("mcpbridge-*")]


def test_a_key_in_memory_is_in_no_folder() -> None:
    with in_memory(b"text") as path:
        assert path.read_bytes() == b"text"
        assert str(path.resolve()).startswith("/memfd:")


@pytest.fixture
def leaving() -> Iterator[list[Path]]:
    paths: list[Path] = []
    yield paths
    assert [path for path in paths if path.exists()] == []


def test_where_there_is_no_such_memory_a_file_of_this_user_alone_is_gone_at_once(leaving: list[Path]) -> None:
    with on_disk(b"text") as path:
        leaving.append(path)
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"text", 0o600)

    with suppress(ZeroDivisionError), on_disk(b"text") as path:
        leaving.append(path)
        _ = 1 / 0


@pytest.mark.parametrize(
    ("cert", "key", "password", "named"),
    [
        ("/etc/cert.pem", key_of(ONE), None, r"cert=….* not the path"),
        (cert_of(ONE), "/etc/key.pem", None, r"key=….* not the path"),
        (cert_of(TWO), key_of(ONE), None, "key=… is not the key of cert=…"),
        (key_of(ONE), key_of(ONE), None, "can't be used together"),
        (cert_of(ONE), encrypted(ONE, b"open"), None, "is encrypted: pass password"),
        (cert_of(ONE), encrypted(ONE, b"open"), "sesame", "password=… does not open key=…"),
        (cert_of(ONE), encrypted(ONE, b"open"), "s" * 2000, "password=… does not open key=…"),
        (cert_of(ONE), key_of(ONE), "sesame", "not encrypted: leave password=… out"),
    ],
)
def test_what_does_not_go_together_is_refused_when_it_is_given(cert: str, key: str, password: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        client_certificate(cert, key, password)

    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_roots_have_to_be_certificates() -> None:
    with pytest.raises(ConfigError, match="roots"):
        client_certificate(cert_of(ONE), key_of(ONE), roots="none")


def test_nothing_shows_or_pickles_the_key() -> None:
    transport = showing()

    assert "PRIVATE" not in f"{transport!r} {vars(transport)}"
    with pytest.raises(TypeError):
        pickle.dumps(transport)
