"""How connections hand JSON over: as bytes of orjson, in binary."""

from typing import Any

import orjson

from loyalty.json_text import JsonText, plain


async def json_in_binary(connection: Any) -> None:
    """Prepare a connection. In binary: composite types take their columns in binary only."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="binary"
    )


def _to_json(value: Any) -> bytes:
    return orjson.dumps(value, default=plain)


def _to_jsonb(value: Any) -> bytes:
    if type(value) is JsonText:
        return b"\x01" + value.text  # as a fragment it would be copied twice
    return b"\x01" + orjson.dumps(value, default=plain)  # 1 is the version of the format


def _from_jsonb(raw: bytes) -> Any:
    return orjson.loads(raw[1:])  # most are short: a view of them takes longer than a copy
