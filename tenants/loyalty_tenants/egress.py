"""Where this process may connect to on behalf of a tenant: public addresses only.

A name is resolved once, every address is checked, and the connection goes to a checked address:
a name that answers differently a moment later changes nothing.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

URL_LENGTH_MAX = 500
PORTS = frozenset({443, 8443})
# Ranges that carry an IPv4 address inside or lead to a relay, which Python calls global.
_RELAYS = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.0/24"))
_TUNNELS = tuple(
    IPv6Network(text)
    for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


class Blocked(Exception):
    """The address is none we go to, leads nowhere, or to what is not public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be reached: https on `ports` of public addresses.

    Hosts named in `trusted`, or all of them (`anywhere`), also by plain http, on any port and at
    private addresses: for tests, laptops, and receivers in the operator's own network.
    """

    ports: Collection[int] = PORTS
    trusted: Collection[str] = ()
    anywhere: bool = False

    def trusts(self, host: str) -> bool:
        return self.anywhere or host in self.trusted

    def url(self, text: str) -> httpx.URL:
        """The address, if it is an absolute one without user, fragment, or odd scheme and port.

        :raises Blocked: it is not, or it names an address itself that is not public
        """
        try:
            url = httpx.URL(text) if text.isascii() and len(text) <= URL_LENGTH_MAX else None
        except httpx.InvalidURL:
            url = None
        if url is None or not url.host or url.userinfo or url.fragment:
            raise Blocked("it is no plain https address")
        host = host_of(url)
        if self.trusts(host) and url.scheme in ("http", "https"):
            return url
        if url.scheme != "https" or (url.port or 443) not in self.ports:
            raise Blocked("https only, on its usual port")
        if not all(is_public(address) for address in _named(host)):
            raise Blocked("the address is not public")
        return url


def host_of(url: httpx.URL) -> str:
    """The host as it is resolved and sent: an international name stays in its ASCII form."""
    return url.raw_host.decode("ascii").lower()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet (Python's `is_global` alone is not it)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.scope_id is not None or any(address in net for net in _TUNNELS):
            return False
    elif any(address in net for net in _RELAYS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def checked_address(host: str, port: int, *, anywhere: bool = False) -> str:
    """One address of `host`, after all of its addresses were found public.

    `anywhere` takes the first address unchecked: for tests and laptops.

    :raises Blocked: it does not resolve, or one of its addresses is not public
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Blocked(f"{host} does not resolve") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise Blocked(f"{host} does not resolve")
    if not anywhere and not all(is_public(ip_address(address)) for address in addresses):
        raise Blocked(f"{host} leads to an address that is not public")
    return addresses[0]


def _named(host: str) -> list[IPv4Address | IPv6Address]:
    """The addresses that a host is by itself, in whatever writing (`127.1`, `0x7f.1`)."""
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [ip_address(str(entry[4][0])) for entry in found]
