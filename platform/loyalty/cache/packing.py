"""Commands are packed by hiredis, as answers are read by it.

redis-py has it do so for its other clients only. What tells of a batch has some hundred arguments
a call, and packing each of them in Python took longer than working it out.
"""

from functools import cache
from typing import Any

import hiredis
from redis.asyncio import ConnectionPool


class _Packing:
    def pack_command(self, *args: Any) -> list[bytes]:
        name, *others = args
        # Some names are two words, as `SCRIPT LOAD`, which a server expects one by one.
        return [hiredis.pack_command((*name.split(), *others))]


def packed(pool: ConnectionPool) -> None:
    """From now on the pool opens connections, of whatever kind its address asks for, that do so."""
    kind: Any = pool.connection_class
    pool.connection_class = _packing(kind)


@cache
def _packing(kind: Any) -> Any:
    return type(kind.__name__, (_Packing, kind), {})
