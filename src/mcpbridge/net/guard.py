"""`Guard`: where a connection may lead, by who named the address.

Host code, the command line and the operator's file may name any address. What a description, a redirect, metadata of an
authorization server, or a record made through the management functions names has to be public, or allowed by name.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection, Sequence
from typing import Final

import httpcore2

from mcpbridge.errors import ConfigError
from mcpbridge.net.address import Address, is_public

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


logger = logging.getLogger(__name__)


class Refused(httpcore2.ConnectError):
    """The guard lets no connection go there. The address is logged, not told: it may be a secret of our network."""


class Guard:
    """Public addresses, and what is allowed beside them.

    allowed   host names (`api.corp.example`, `*.corp.example` for all below it) and networks (`10.1.0.0/16`, `::1`)
              that may be connected to as well; None: no limit at all

    A name is refused when any one of its addresses is: whoever answers for the name would choose among them.

    Raises: ConfigError for what is neither a host name nor a network.
    """

    def __init__(self, allowed: Collection[str] | None = ()) -> None:
        self._anywhere = allowed is None
        words = [_word(word) for word in allowed or ()]
        self._networks = [word for word in words if not isinstance(word, str)]
        self._names = {word for word in words if isinstance(word, str)}

    def check(self, host: str, addresses: Sequence[Address]) -> None:
        """Nothing, where every address may be connected to. Raises: Refused."""
        if self._anywhere or self._is_named(host.lower().rstrip(".")):
            return
        for address in addresses:
            if not is_public(address) and not any(address in network for network in self._networks):
                logger.warning("refused to connect to %s at %s, which is not public and not allowed", host, address)
                raise Refused(f"{host!r} has an address that is not public")

    def _is_named(self, host: str) -> bool:
        if not self._names:
            return False
        labels = host.split(".")
        return host in self._names or any("*." + ".".join(labels[at:]) in self._names for at in range(1, len(labels)))


ANYWHERE: Final = Guard(None)
"""For addresses that the host itself named."""

PUBLIC: Final = Guard()


def _word(word: str) -> Network | str:
    try:
        return ipaddress.ip_network(word.strip("[]"), strict=False)
    except ValueError:
        pass
    name = word.lower().rstrip(".")
    bare = name.removeprefix("*.")
    if not bare or not all(label.replace("-", "").replace("_", "").isalnum() for label in bare.split(".")):
        raise ConfigError(f"{word!r} is no host name (api.example.com, *.example.com) and no network (10.0.0.0/8)")
    return name
