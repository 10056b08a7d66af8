"""Where this process may connect to on behalf of a tenant: public addresses only.

A name is resolved once, every address is checked, and the connection goes to a checked address:
a name that answers differently a moment later changes nothing.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Ranges that carry an IPv4 address inside or lead to a relay, which Python calls global.
_RELAYS = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.0/24"))
_TUNNELS = tuple(
    IPv6Network(text)
    for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


class Blocked(Exception):
    """The name leads to no address, or to one that is not public."""


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
