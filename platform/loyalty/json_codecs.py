"""How connections hand JSON over: as bytes of orjson, in binary."""

from typing import Any
from uuid import UUID

import orjson


async def json_in_binary(connection: Any) -> None:
    """Prepare a connection. In binary: composite types take their columns in binary only."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="binary"
    )


def _to_json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain)


def _to_jsonb(value: Any) -> bytes:
    return b"\x01" + orjson.dumps(value, default=_plain)  # 1 is the version of the format


def _plain(value: Any) -> str:
    """orjson knows the standard library's own UUID alone, and ids are of the driver's class."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _from_jsonb(raw: bytes) -> Any:
    return orjson.loads(raw[1:])  # most are short: a view of them takes longer than a copy
