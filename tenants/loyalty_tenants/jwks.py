"""Key sets of tenants' issuers: cached by kid, asked for rarely, kept through an outage.

A request is made for a kid that is not known, at most one per issuer in COOLDOWN seconds, so a
flood of made-up kids costs nothing. Known keys are answered from memory, without waiting; when they
are old they are asked for again in the background.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import jwt

from loyalty_tenants.issuers import Issuer
from loyalty_tenants.jwks_fetch import FetchFailed

COOLDOWN = 30.0
FRESH_SECONDS = 600.0
MISSING_SECONDS = 300.0
MISSING_MAX = 128
SETS_MAX = 1_024
RSA_BITS_MIN = 2_048
_KEY_OF = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Fetcher(Protocol):
    async def fetch(self, url: str) -> list[dict[str, Any]]: ...


@dataclass(slots=True)
class _KeySet:
    keys: dict[tuple[str, str], jwt.PyJWK] = field(default_factory=dict)
    fetched_at: float | None = None
    tried_at: float | None = None
    missing: OrderedDict[str, float] = field(default_factory=OrderedDict)
    asking: asyncio.Task[bool] | None = None


class KeySets:
    """The key sets of all tenants' issuers in this process; no tenant shares one with another."""

    def __init__(
        self, fetcher: Fetcher, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetcher = fetcher
        self._monotonic = monotonic
        self._sets: OrderedDict[tuple[UUID, str], _KeySet] = OrderedDict()
        self._asking: set[asyncio.Task[bool]] = set()

    async def key(
        self, tenant_id: UUID, issuer: Issuer, kid: str, algorithm: str
    ) -> jwt.PyJWK | None:
        """The issuer's key of that id for that algorithm; None where it has none."""
        key_set = self._set(tenant_id, issuer.jwks_url)
        if (known := key_set.keys.get((kid, algorithm))) is not None:
            if self._is_old(key_set):
                self._ask(key_set, issuer)
            return known
        if key_set.missing.get(kid, 0.0) > self._monotonic():
            return None
        if (asking := self._ask(key_set, issuer)) is None:
            return None  # asked a moment ago
        # Shielded: who gives up waiting must not end the request that others wait for.
        answered = await asyncio.shield(asking)
        found = key_set.keys.get((kid, algorithm))
        if answered and found is None:
            self._note_missing(key_set, kid)
        return found

    async def close(self) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    def _set(self, tenant_id: UUID, url: str) -> _KeySet:
        key_set = self._sets.setdefault((tenant_id, url), _KeySet())
        self._sets.move_to_end((tenant_id, url))
        if len(self._sets) > SETS_MAX:
            self._sets.popitem(last=False)
        return key_set

    def _is_old(self, key_set: _KeySet) -> bool:
        at = key_set.fetched_at
        return at is None or self._monotonic() - at >= FRESH_SECONDS

    def _note_missing(self, key_set: _KeySet, kid: str) -> None:
        """The issuer was asked just now: a kid it did not name is not asked for again soon."""
        key_set.missing[kid] = self._monotonic() + MISSING_SECONDS
        if len(key_set.missing) > MISSING_MAX:
            key_set.missing.popitem(last=False)

    def _ask(self, key_set: _KeySet, issuer: Issuer) -> asyncio.Task[bool] | None:
        """The request under way, or a new one; None while the issuer is left in peace."""
        if key_set.asking is not None and not key_set.asking.done():
            return key_set.asking
        now = self._monotonic()
        if key_set.tried_at is not None and now - key_set.tried_at < COOLDOWN:
            return None
        key_set.tried_at = now
        key_set.asking = asyncio.create_task(self._refresh(key_set, issuer))
        self._asking.add(key_set.asking)
        key_set.asking.add_done_callback(self._asking.discard)
        return key_set.asking

    async def _refresh(self, key_set: _KeySet, issuer: Issuer) -> bool:
        try:
            usable = _usable(await self._fetcher.fetch(issuer.jwks_url), issuer.algorithms)
        except FetchFailed:
            return False  # what is known goes on being known
        if usable:
            key_set.keys = usable
            key_set.fetched_at = key_set.tried_at
        return bool(usable)


def _usable(
    keys: Sequence[dict[str, Any]], algorithms: Sequence[str]
) -> dict[tuple[str, str], jwt.PyJWK]:
    """Public signing keys by (kid, algorithm); a key serves one algorithm only."""
    usable: dict[tuple[str, str], jwt.PyJWK] = {}
    for key in keys:
        kid = key.get("kid")
        for algorithm in algorithms:
            if isinstance(kid, str) and _fits(key, algorithm):
                try:
                    loaded = jwt.PyJWK(key, algorithm=algorithm)
                except (jwt.PyJWTError, ValueError, TypeError):
                    continue
                if algorithm != "RS256" or loaded.key.key_size >= RSA_BITS_MIN:
                    usable[(kid, algorithm)] = loaded
    return usable


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    kind, curve = _KEY_OF[algorithm]
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and not _PRIVATE & key.keys()
    )
