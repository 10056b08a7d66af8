"""How an entry is written: eight hex digits of SHA-1 over a JSON array, then the array.

`[version, held, deficit, [[available_at, expires_at | null, remaining], ...] | null]`, instants in
microseconds since 1970 UTC, lots null for a tombstone. The digest is no secret: it lets the script
and the reader agree on what is garbage, so that garbage never keeps a true value out.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha1
from typing import Any

import orjson

from loyalty.cache.cached_balance import LOTS_MAX, CachedBalance, OpenLot

ENTRY_BYTES_MAX = 4096
DIGEST_LENGTH = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(balance: CachedBalance) -> bytes:
    """The entry, or that of its tombstone where it has too many lots; at most 4096 bytes."""
    if balance.overflow or len(balance.lots) > LOTS_MAX:
        return _tombstone(balance.version)
    lots = [_lot_row(lot) for lot in balance.lots]
    body = orjson.dumps([balance.version, balance.held, balance.deficit, lots])
    return _digest(body) + body


@lru_cache(maxsize=4096)
def _tombstone(version: int) -> bytes:
    # A batch leaves one for each member, and most of their versions are small.
    body = orjson.dumps([version, 0, 0, None])
    return _digest(body) + body


def decode(raw: bytes) -> CachedBalance | None:
    """The entry, or None where it is not one."""
    body = raw[DIGEST_LENGTH:]
    if len(raw) > ENTRY_BYTES_MAX or raw[:DIGEST_LENGTH] != _digest(body):
        return None
    try:
        version, held, deficit, rows = orjson.loads(body)
        if rows is None:
            return CachedBalance(version=version, overflow=True)
        if len(rows) > LOTS_MAX:
            return None
        lots = tuple(_lot(*row) for row in rows)
        return CachedBalance(version=version, held=held, deficit=deficit, lots=lots)
    except (TypeError, ValueError, OverflowError):
        return None


def _digest(body: bytes) -> bytes:
    return sha1(body, usedforsecurity=False).hexdigest()[:DIGEST_LENGTH].encode()


def _lot_row(lot: OpenLot) -> list[Any]:
    expires = None if lot.expires_at is None else _micros(lot.expires_at)
    return [_micros(lot.available_at), expires, lot.remaining]


def _lot(available_at: int, expires_at: int | None, remaining: int) -> OpenLot:
    expires = None if expires_at is None else _instant(expires_at)
    return OpenLot(_instant(available_at), expires, remaining)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _instant(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND
