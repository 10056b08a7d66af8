"""What the events of a slice need to know besides their facts: read once, a statement each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.ids import public_id
from loyalty.jobs.outbox import OutboxRow
from loyalty.plugin import Connection
from loyalty.units import currency_places, format_minor
from loyalty_tenants.webhooks.data import Amount

REDEMPTIONS = frozenset(
    {"Redeem", "CaptureRedemption", "ReleaseRedemption", "ReverseRedemption", "HoldLapsed"}
)
_UNITS = "select code, places from loyalty.unit"
_PROGRAMS = "select id, slug from loyalty.program"
# Key by key: a join of a table with an array walks all rows of the tenant once these seem few.
_POSTINGS = """
select p.* from unnest($1::uuid[]) f (id) cross join lateral (
  select p.fact_id, p.seq, p.kind, p.unit, p.amount, p.program_id, p.rule, p.label, p.occurred_at
    from loyalty.posting p where p.fact_id = f.id) p
 where p.kind in ('GRANT', 'BURN', 'EXPIRE', 'TAKE_BACK') order by p.fact_id, p.seq
"""
_REDEMPTIONS = """
select r.* from unnest($1::uuid[]) f (id) cross join lateral (
  select r.id, r.program_id, r.unit, r.amount, r.order_ref, r.held_until
    from loyalty.redemption r where r.id = f.id) r
"""
# A return that named no revision: the one that stood then is its cause.
_REVISIONS = """
select r.* from unnest($1::uuid[]) x (id) cross join lateral (
  select f.id, (s.payload ->> 'revision')::int as revision from loyalty.fact f
    join loyalty.fact s on (s.tenant_id, s.id) = (f.tenant_id, f.cause_id)
   where f.id = x.id limit 1) r
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    places: Mapping[str, int]
    slugs: Mapping[UUID, str]
    postings: Mapping[UUID, Sequence[Mapping[str, Any]]]
    redemptions: Mapping[UUID, Mapping[str, Any]]
    revisions: Mapping[UUID, int]

    def amount(self, minor: int, unit: str) -> Amount:
        places = self.places.get(unit)
        if places is None:
            places = currency_places(unit)
        if places is None:
            raise LookupError(f"nobody knows the places of {unit}")
        return Amount(value=format_minor(minor, places), unit=unit)

    def slug(self, program_id: UUID | None) -> str:
        return "" if program_id is None else self.slugs[program_id]


async def read_scene(connection: Connection, rows: Iterable[OutboxRow], *, values: bool) -> Scene:
    """What the events of these rows need; `values`: also what their facts moved."""
    facts = [row for row in rows if row.content is None]
    redemptions = {found for row in facts if (found := redemption_of(row)) is not None}
    postings: dict[UUID, list[Mapping[str, Any]]] = {}
    if values:
        for posting in await connection.fetch(_POSTINGS, [row.fact_id for row in facts]):
            postings.setdefault(posting["fact_id"], []).append(posting)
    unnamed = [
        row.fact_id
        for row in facts
        if row.topic == "PurchaseReversed" and row.payload["purchase_revision"] is None
    ]
    revisions = await connection.fetch(_REVISIONS, unnamed) if unnamed else []
    return Scene(
        places={row["code"]: row["places"] for row in await connection.fetch(_UNITS)},
        slugs={row["id"]: row["slug"] for row in await connection.fetch(_PROGRAMS)},
        postings=postings,
        redemptions={
            row["id"]: row for row in await connection.fetch(_REDEMPTIONS, list(redemptions))
        }
        if redemptions
        else {},
        revisions={row["id"]: row["revision"] for row in revisions},
    )


def redemption_of(row: OutboxRow) -> UUID | None:
    """The redemption that a fact opened or moved."""
    if row.topic not in REDEMPTIONS:
        return None
    return UUID(row.payload.get("redemption_id") or row.answer["redemptionId"])


def member_of(row: OutboxRow) -> dict[str, str] | None:
    if row.member_id is None or row.external_id is None:
        return None
    return {"id": public_id("Member", row.member_id), "external_id": row.external_id}
