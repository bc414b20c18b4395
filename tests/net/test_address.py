"""Addresses that a stranger may name, and those that reach into our own network, however they are spelled."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses

from mcpbridge.net.address import is_public

INSIDE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:4860::5efe:7f00:1",
    "2001:4860::200:5efe:a00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]

OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]

TRICKS = [
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0x7f.1",
    "0",
    "0.0.0.0",
    "10.1",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
]


@pytest.mark.req("ATK-03")
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_some_network_of_our_own_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.req("ATK-03")
@pytest.mark.parametrize("spelling", TRICKS)
def test_no_spelling_of_an_inside_address_resolves_to_a_public_one(spelling: str) -> None:
    found = socket.getaddrinfo(spelling, 80, type=socket.SOCK_STREAM)

    assert found
    assert not any(is_public(ip_address(str(each[4][0]))) for each in found)


@given(ip_addresses(v=4, network="127.0.0.0/8") | ip_addresses(v=4, network="10.0.0.0/8"), integers(0, 5))
def test_an_inside_address_stays_inside_whatever_carries_it(address: object, way: int) -> None:
    bits = int(ip_address(str(address)))
    carried = (bits, 0xFFFF << 32 | bits, 0x64FF9B << 96 | bits, 0x2002 << 112 | bits << 80, 0x5EFE << 32 | bits, bits)

    assert not is_public(ip_address(carried[way] if way < 5 else f"::ffff:{address}"))
