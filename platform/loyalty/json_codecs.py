"""How connections hand JSON over: as bytes of orjson, in binary."""

from typing import Any

import orjson


async def json_in_binary(connection: Any) -> None:
    """Prepare a connection. In binary: composite types take their columns in binary only."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary"
    )


def _to_jsonb(value: Any) -> bytes:
    return b"\x01" + orjson.dumps(value)  # 1 is the version of the format


def _from_jsonb(raw: bytes) -> Any:
    return orjson.loads(memoryview(raw)[1:])
