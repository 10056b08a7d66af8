"""Commands are packed by hiredis, as redis-py itself does where it does not run on asyncio: a batch
tells of many balances in one command, and in Python each of its arguments is joined to the rest."""

from typing import Any

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.connection import HiredisRespSerializer

_serializer = HiredisRespSerializer()


class _Packing:
    def pack_command(self, *args: Any) -> list[bytes]:
        packed: list[bytes] = _serializer.pack(*args)
        return packed


class _Plain(_Packing, Connection):
    pass


class _Tls(_Packing, SSLConnection):
    pass


class _Socket(_Packing, UnixDomainSocketConnection):
    pass


PACKING: dict[Any, Any] = {Connection: _Plain, SSLConnection: _Tls,
                           UnixDomainSocketConnection: _Socket}  # fmt: skip
"""The kind of connection of an address, as it packs so."""
