"""What is needed to judge a tenant's tokens: one statement, remembered for a moment.

The moment bounds how long a revocation made by another process goes unnoticed; `forget` ends it at
once where this process hears of it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from loyalty.database import Database
from loyalty.setup import TenantStatus
from loyalty_tenants.issuers import Issuer
from loyalty_tenants.peers import Peer, peers_of
from loyalty_tenants.slugs import is_slug

FRESH_SECONDS = 1.0
TENANTS_MAX = 10_000

_LOAD = """
select t.slug, t.status, t.epoch,
  coalesce((select jsonb_agg(jsonb_build_array(s.id, convert_from(s.secret, 'SQL_ASCII'),
                     extract(epoch from s.retires_at)::float8)) from loyalty.tenant_secret s), '[]')
    as secrets,
  coalesce((select jsonb_agg(jsonb_build_array(i.issuer, i.jwks_url, i.algorithms, i.audience))
              from loyalty.tenant_issuer i), '[]') as issuers,
  (select array_agg(p.id) from loyalty.peer p where p.status <> 'ENDED') as peers
  from loyalty.tenant t where t.tenant_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    value: bytes = field(repr=False)
    retires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A tenant's status and what its tokens are verified with; `secrets` by kid, `peers` by id."""

    tenant_id: UUID
    slug: str
    status: TenantStatus
    epoch: int
    secrets: Mapping[str, Secret]
    issuers: Mapping[str, Issuer]
    peers: Mapping[str, Peer]


class CredentialStore:
    """The credentials of tenants, read through a short memory."""

    def __init__(
        self,
        database: Database,
        *,
        fresh_seconds: float = FRESH_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._fresh_seconds = fresh_seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[UUID, tuple[float, Credentials]] = OrderedDict()
        self._ids: OrderedDict[str, UUID] = OrderedDict()
        self._loading: dict[UUID, asyncio.Lock] = {}

    async def tenant_id(self, name: str) -> UUID | None:
        """The tenant that a token names by slug or by id, in its canonical writing only."""
        try:
            tenant_id = UUID(name)
        except ValueError:
            tenant_id = None
        if tenant_id is not None and str(tenant_id) == name:
            return tenant_id
        return (self._ids.get(name) or await self._look_up(name)) if is_slug(name) else None

    async def of(self, tenant_id: UUID) -> Credentials | None:
        """The tenant's credentials as of a moment ago; None where there is no such tenant."""
        if (kept := self._fresh(tenant_id)) is not None:
            return kept
        lock = self._loading.setdefault(tenant_id, asyncio.Lock())
        try:
            async with lock:
                return self._fresh(tenant_id) or await self._load(tenant_id)
        finally:
            if not lock.locked():
                self._loading.pop(tenant_id, None)

    def forget(self, tenant_id: UUID) -> None:
        """The tenant was changed: ask the database again the next time."""
        self._kept.pop(tenant_id, None)

    def _fresh(self, tenant_id: UUID) -> Credentials | None:
        kept = self._kept.get(tenant_id)
        return kept[1] if kept is not None and self._monotonic() < kept[0] else None

    async def _load(self, tenant_id: UUID) -> Credentials | None:
        until = self._monotonic() + self._fresh_seconds
        async with self._database.tenant(tenant_id, read_only=True) as connection:
            row = await connection.fetchrow(_LOAD, tenant_id)
            peers = await peers_of(connection) if row and row["peers"] else ()
        if row is None:
            return None
        loaded = _credentials(tenant_id, row, peers)
        self._kept[tenant_id] = (until, loaded)
        self._kept.move_to_end(tenant_id)
        if len(self._kept) > TENANTS_MAX:
            self._kept.popitem(last=False)
        return loaded

    async def _look_up(self, slug: str) -> UUID | None:
        found = await self._database.unscoped("select loyalty.tenant_of_slug($1)", slug)
        if found is None:
            return None
        # A slug never moves to another tenant, so this is remembered for good.
        self._ids[slug] = UUID(str(found))
        if len(self._ids) > TENANTS_MAX:
            self._ids.popitem(last=False)
        return self._ids[slug]


def _credentials(tenant_id: UUID, row: Any, peers: Sequence[Peer]) -> Credentials:
    return Credentials(
        tenant_id=tenant_id,
        slug=row["slug"],
        status=TenantStatus(row["status"]),
        epoch=row["epoch"],
        secrets={
            kid: Secret(
                value=text.encode("ascii"),
                retires_at=None if retires is None else datetime.fromtimestamp(retires, UTC),
            )
            for kid, text, retires in row["secrets"]
        },
        issuers={
            issuer: Issuer(
                issuer=issuer, jwks_url=url, algorithms=tuple(algorithms), audience=audience
            )
            for issuer, url, algorithms, audience in row["issuers"]
        },
        peers={str(peer.id): peer for peer in peers},
    )
