"""Which addresses are public: the ones that a stranger may name without reaching into our own network.

Judged is the address that a socket is connected to, never its spelling: `2130706433`, `0x7f.1` and `127。0。0。1` are
all 127.0.0.1 once they are resolved.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b:1::/48",  # NAT64 for local use (RFC 8215)
        "192.88.99.0/24",  # the withdrawn relays of 6to4 (RFC 7526)
        "fec0::/10",  # site-local, deprecated, still routed by some (RFC 3879)
        "5f00::/16",  # SRv6 segment identifiers (RFC 9602)
        "3fff::/20",  # documentation (RFC 9637)
        "100:0:0:1::/64",  # a dummy prefix (RFC 9780)
    )
)

_CARRIERS: Final[tuple[tuple[ipaddress.IPv6Network, Callable[[int], int]], ...]] = (
    (ipaddress.IPv6Network("::/96"), lambda bits: bits),  # IPv4-compatible (RFC 4291 section 2.5.5.1)
    (ipaddress.IPv6Network("::ffff:0:0/96"), lambda bits: bits),  # IPv4-mapped (RFC 4291 section 2.5.5.2)
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), lambda bits: bits),  # IPv4-translated (RFC 2765)
    (ipaddress.IPv6Network("64:ff9b::/96"), lambda bits: bits),  # NAT64 (RFC 6052 section 2.1)
    (ipaddress.IPv6Network("2002::/16"), lambda bits: bits >> 80),  # 6to4 (RFC 3056 section 2)
    (ipaddress.IPv6Network("2001::/32"), lambda bits: ~bits),  # Teredo (RFC 4380 section 4)
)


@lru_cache(maxsize=4096)
def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet.

    Loopback, private, shared (100.64/10), link-local, multicast, reserved and unspecified addresses do not, nor does an
    IPv6 address that carries such an IPv4 one.
    """
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    return address.is_global and not address.is_multicast and not any(address in network for network in _of(address))


def _of(address: Address) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [network for network in _NEVER_PUBLIC if network.version == address.version]


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that traffic to an IPv6 one ends up at."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    bits = int(address)
    for network, shown in _CARRIERS:
        if address in network and bits > 1:  # `::` and `::1` are addresses of their own
            return ipaddress.IPv4Address(shown(bits) & 0xFFFF_FFFF)
    if bits >> 32 & 0xFFFF_FFFF in (0x0000_5EFE, 0x0200_5EFE):  # ISATAP (RFC 5214 section 6.1)
        return ipaddress.IPv4Address(bits & 0xFFFF_FFFF)
    return None
