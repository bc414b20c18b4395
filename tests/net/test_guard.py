"""Where connections may lead, on the address that a socket is opened to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

import httpcore2
import httpx2
import pytest

from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.guard import ANYWHERE, PUBLIC, Guard, Refused
from mcpbridge.net.limits import Limits
from mcpbridge.net.pool import Pool
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.net.wire import Network, Resolve
from wild import says, silent, wild_server

OK = says("HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close", b"{}")

TRICKS = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "127。0。0。1",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "[::]",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:a9fe:a9fe]",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "[fe80::1]",
    "[fd00::1]",
]


def answering(*addresses: str) -> Resolve:
    """A name server that answers with each of these in turn: a comma stands between addresses of one answer."""
    answers = [*addresses]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers.pop(0).split(",")

    return resolve


async def send(url: str, transport: httpx2.AsyncBaseTransport) -> Answer | Failure:
    upstream = Upstream(transport=transport, limits=Limits(deadline=10))
    try:
        return await upstream.send(httpx2.Request("GET", url))
    finally:
        await upstream.aclose()


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@pytest.mark.req("ATK-03")
@pytest.mark.parametrize("host", TRICKS)
async def test_no_spelling_of_an_inside_address_is_connected_to(host: str) -> None:
    async with wild_server(OK) as url:
        answer = await send(f"http://{host}:{port_of(url)}/", Pool(Limits(), guard=PUBLIC))

    assert isinstance(answer, Failure)
    assert answer.sent == "no"
    assert answer.code in {"address_refused", "unreachable"}  # the second: a spelling that this system does not resolve


@pytest.mark.req("ATK-03")
@pytest.mark.parametrize("host", ["0177.0.0.1", "１２７.0.0.1"])
def test_some_spellings_are_no_host_at_all(host: str) -> None:
    with pytest.raises(httpx2.InvalidURL):
        httpx2.URL(f"http://{host}/")


@pytest.mark.req("ATK-03")
async def test_a_refusal_has_a_code_and_tells_no_address() -> None:
    answer = await send("http://intern.example/", Pool(Limits(), guard=PUBLIC, resolve=answering("10.9.8.7")))

    assert isinstance(answer, Failure)
    assert (answer.code, answer.sent, answer.retryable) == ("address_refused", "no", False)
    assert "10.9.8.7" not in str(answer)


@pytest.mark.req("ATK-05")
async def test_a_name_that_answers_otherwise_the_second_time_is_not_asked_twice() -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["127.0.0.2"]

    async with wild_server(OK) as url:  # at 127.0.0.1
        network = Network(Guard(["127.0.0.2"]), resolve)
        with pytest.raises(httpcore2.ConnectError) as raised:
            await network.connect_tcp("rebind.example", int(port_of(url)), timeout=5)

    assert asked == ["rebind.example"]
    assert not isinstance(raised.value, Refused)  # it tried the address that was checked, and nothing else


@pytest.mark.req("ATK-05")
@pytest.mark.parametrize("answer", ["8.8.8.8,127.0.0.1", "127.0.0.1,8.8.8.8", "2606:4700::1111,::1"])
async def test_an_answer_that_mixes_public_and_private_is_refused_whole(answer: str) -> None:
    with pytest.raises(Refused):
        await Network(PUBLIC, answering(answer)).connect_tcp("mixed.example", 80, timeout=5)


@pytest.mark.req("ATK-05")
async def test_a_second_connection_is_checked_anew() -> None:
    async with wild_server(OK) as url:
        pool = Pool(Limits(), guard=Guard(["127.0.0.1"]), resolve=answering("127.0.0.1", "127.0.0.2"))
        place = f"http://rebind.example:{port_of(url)}/"
        first = await send_on(pool, place)
        second = await send_on(pool, place)
        await pool.aclose()

    assert (first, second) == (200, "address_refused")


async def send_on(pool: Pool, url: str) -> int | str:
    answer = await Upstream(transport=pool, limits=Limits(deadline=10)).send(httpx2.Request("GET", url))
    return answer.code if isinstance(answer, Failure) else answer.status


@pytest.mark.req("ATK-05")
async def test_tls_goes_on_with_the_name(self_signed: ssl.SSLContext) -> None:
    named: list[str | None] = []
    self_signed.sni_callback = lambda _, name, __: named.append(name)
    async with wild_server(silent, context=self_signed) as url:
        pool = Pool(Limits(), guard=ANYWHERE, resolve=answering("127.0.0.1"))
        answer = await send(f"https://api.example:{port_of(url)}/", pool)

    assert named == ["api.example"]
    assert isinstance(answer, Failure)
    assert answer.code == "tls"  # the certificate is asked for by the name too


@pytest.mark.req("ATK-05")
async def test_the_host_header_is_the_name() -> None:
    heads: list[bytes] = []
    server = await asyncio.start_server(lambda r, w: _echo(r, w, heads), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await send(f"http://api.example:{port}/", Pool(Limits(), resolve=answering("127.0.0.1")))

    assert f"host: api.example:{port}".encode() in heads[0].lower()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heads: list[bytes]) -> None:
    heads.append(await reader.readuntil(b"\r\n\r\n"))
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("allowed", ["127.0.0.0/8", "127.0.0.1", "api.corp.example", "*.corp.example", "*.EXAMPLE"])
async def test_what_an_operator_allowed_is_connected_to(allowed: str) -> None:
    async with wild_server(OK) as url:
        pool = Pool(Limits(), guard=Guard([allowed]), resolve=answering("127.0.0.1"))
        answer = await send(f"http://api.corp.example:{port_of(url)}/", pool)

    assert isinstance(answer, Answer)


@pytest.mark.parametrize("allowed", ["corp.example", "*.api.corp.example", "xcorp.example", "10.0.0.0/8"])
async def test_what_is_only_like_it_is_not(allowed: str) -> None:
    pool = Pool(Limits(), guard=Guard([allowed]), resolve=answering("127.0.0.1"))
    answer = await send("http://api.corp.example/", pool)

    assert isinstance(answer, Failure)
    assert answer.code == "address_refused"


@pytest.mark.parametrize("word", ["", "*", "a b", "http://x", "10.0.0.0/99", "x..y"])
def test_an_allow_list_of_nonsense_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="no host name"):
        Guard([word])


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with wild_server(OK) as url:
        refused = "127.0.0.2"  # nothing listens there
        pool = Pool(Limits(), resolve=answering(f"{refused},127.0.0.1"))
        answer = await send(f"http://api.example:{port_of(url)}/", pool)

    assert isinstance(answer, Answer)


async def test_a_slow_address_does_not_hold_the_next_one_up() -> None:
    with socket.create_server(("127.0.0.3", 0), backlog=0) as full:
        port = full.getsockname()[1]
        held = [socket.socket() for _ in range(3)]  # fills the queue of a server that accepts nobody
        for each in held:
            each.setblocking(False)
            each.connect_ex(("127.0.0.3", port))
        server = await asyncio.start_server(lambda r, w: _echo(r, w, []), "127.0.0.1", port)
        async with server, asyncio.timeout(5):
            pool = Pool(Limits(), resolve=answering("127.0.0.3,127.0.0.1"))
            answer = await send(f"http://api.example:{port}/", pool)
        for each in held:
            each.close()

    assert isinstance(answer, Answer)


async def test_a_name_without_an_address_can_not_be_reached() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    answer = await send("http://nowhere.example/", Pool(Limits(), resolve=nobody))

    assert isinstance(answer, Failure)
    assert (answer.code, answer.sent) == ("unreachable", "no")
    assert "resolved" in answer.message
