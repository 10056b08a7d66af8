"""Commands are packed by hiredis, as redis-py itself does where it does not run on asyncio: a batch
tells of many balances in one command, and in Python each of its arguments is joined to the rest."""

from typing import Any

import hiredis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection


class _Packing:
    def pack_command(self, *args: Any) -> list[bytes]:
        name = args[0]
        if isinstance(name, str) and " " in name:  # of two words, which are two arguments
            args = (*name.split(), *args[1:])
        return [hiredis.pack_command(args)]


class _Plain(_Packing, Connection):
    pass


class _Tls(_Packing, SSLConnection):
    pass


class _Socket(_Packing, UnixDomainSocketConnection):
    pass


PACKING: dict[Any, Any] = {Connection: _Plain, SSLConnection: _Tls,
                           UnixDomainSocketConnection: _Socket}  # fmt: skip
"""The kind of connection of an address, as it packs so."""
