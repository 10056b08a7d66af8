"""Days compared with a partner elsewhere: what each half says of the same exchanges.

A day is looked at once it is over, and again each day until it is MATCHED, for five weeks.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from loyalty.jobs.errands import Outside
from loyalty.plugin import Connection
from loyalty.units import currency_places
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_partners import agreements
from loyalty_partners.remote import documents
from loyalty_partners.remote.carrying import AGREEMENT, EXCHANGE
from loyalty_partners.remote.day import LISTED_MAX, Day, day_of, listed
from loyalty_partners.remote.speaking import SECONDS_PATIENT, Silence, say
from loyalty_partners.terms import terms_of
from loyalty_tenants.peers import Peer

LATE = timedelta(minutes=10)  # what was begun before midnight is written by then
AGAIN = timedelta(minutes=15)  # where nobody answered
DAYS = 35
NAMED_MAX = 50  # differing exchanges that are kept by name
log = logging.getLogger(__name__)

_DUE = """
select id, peer_id, accepted_at from loyalty.partners_agreement
 where tenant_id = (select loyalty.tenant()) and compare_at <= $1 order by id
"""
_OPEN_DAYS = """
select d::date as day
  from generate_series(greatest($2::date, $3::date - $4::int), $3::date - 1, interval '1 day') d
 where not exists (
   select from loyalty.partners_day k where k.tenant_id = (select loyalty.tenant())
      and k.agreement_id = $1 and k.day = d::date and k.state = 'MATCHED')
 order by 1
"""
_KEEP = """
insert into loyalty.partners_day as k
  (tenant_id, agreement_id, day, state, exchanges, amount, ours, theirs, differing, compared_at)
values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, agreement_id, day) do update
   set state = excluded.state, exchanges = excluded.exchanges, amount = excluded.amount,
       ours = excluded.ours, theirs = excluded.theirs, differing = excluded.differing,
       compared_at = excluded.compared_at
"""
_NEXT = """
update loyalty.partners_agreement set compare_at = $2
 where tenant_id = (select loyalty.tenant()) and id = $1
"""


async def compare_due(out: Outside, tenant_id: UUID, peers: Mapping[UUID, Peer]) -> None:
    now = out.clock.now()
    async with out.database.tenant(tenant_id, read_only=True) as connection:
        due = await connection.fetch(_DUE, now)
    for half in due:
        then: datetime | None = now + AGAIN
        if (peer := peers.get(half["peer_id"])) is None:
            then = None  # nobody is there any more
        elif half["accepted_at"] is not None:
            then = await _compare(out, tenant_id, peer, half, now)
        async with out.database.tenant(tenant_id) as connection:
            await connection.execute(_NEXT, half["id"], then)


async def _compare(out: Outside, tenant_id: UUID, peer: Peer, half: Any, now: datetime) -> datetime:
    """All days that are over and not equal yet; when to look again."""
    today = (now - LATE).astimezone(UTC).date()
    since = half["accepted_at"].astimezone(UTC).date()
    async with out.database.tenant(tenant_id, read_only=True) as connection:
        days = [
            r["day"] for r in await connection.fetch(_OPEN_DAYS, half["id"], since, today, DAYS)
        ]
    try:
        for day in days:
            await _day(out, tenant_id, peer, half["id"], day)
    except Silence as silence:
        log.warning("partner %s of tenant %s: no comparison: %s", peer.name, tenant_id, silence)
        return now + AGAIN
    tomorrow = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)
    return tomorrow + LATE


async def _day(out: Outside, tenant_id: UUID, peer: Peer, agreement_id: UUID, day: date) -> None:
    told = await _ask(out, peer, agreement_id, day, None)
    async with out.database.tenant(tenant_id, read_only=True) as connection:
        ours, wanted = await day_of(connection, agreement_id, day)
        places = await places_of(connection, agreement_id)
    theirs = places.read(told)
    differing: list[UUID] = []
    if ours.under_way or theirs.under_way:
        state = "WAITING"
    elif asdict(theirs) == wanted:
        state = "MATCHED"
    else:
        state = "DIFFERS"
        differing = await _differing(out, tenant_id, peer, agreement_id, day, places)
        log.error(
            "partner %s of tenant %s: %s differs: %s exchanges", peer.name, tenant_id, day,
            len(differing),
        )  # fmt: skip
    async with out.database.tenant(tenant_id) as connection:
        await connection.execute(
            _KEEP, agreement_id, day, state, ours.exchanges, ours.amount + ours.charge,
            asdict(ours), asdict(theirs), differing[:NAMED_MAX], out.clock.now(),
        )  # fmt: skip


async def _ask(
    out: Outside, peer: Peer, agreement_id: UUID, day: date, after: UUID | None
) -> Mapping[str, Any]:
    told: Mapping[str, Any] = await say(
        out.way, peer, "partnerDay", documents.DAY,
        {
            "agreement": node_id(AGREEMENT, agreement_id), "day": day.isoformat(),
            "after": None if after is None else node_id(EXCHANGE, after),
        },
        now=out.clock.now(), seconds=SECONDS_PATIENT,
    )  # fmt: skip
    return told


@dataclass(frozen=True, slots=True)
class Places:
    """Decimal places of the partner's unit and of the currency."""

    unit: int
    money: int

    def read(self, told: Mapping[str, Any]) -> Day:
        try:
            return Day(
                exchanges=int(told["exchanges"]), under_way=int(told["underWay"]),
                reversed=int(told["reversed"]), points_out=_minor(told["pointsOut"], self.unit),
                points_in=_minor(told["pointsIn"], self.unit),
                amount=_minor(told["amount"], self.money),
                charge=_minor(told["charge"], self.money), digest=str(told["digest"]),
            )  # fmt: skip
        except (LookupError, TypeError, ArithmeticError, ValueError):
            raise Silence("the answer about a day is not understood") from None


async def places_of(connection: Connection, agreement_id: UUID) -> Places:
    versions = (await agreements.terms_of_each(connection, [agreement_id]))[agreement_id]
    terms = terms_of(versions[-1].plain)
    flow, turned = terms.give, terms.take
    unit = flow.places if flow is not None else turned.giver_places if turned is not None else 0
    return Places(unit, currency_places(terms.currency) or 0)


def _minor(text: str, places: int) -> int:
    return int(Decimal(text).scaleb(places).to_integral_exact())


async def _differing(
    out: Outside, tenant_id: UUID, peer: Peer, agreement_id: UUID, day: date, places: Places
) -> list[UUID]:
    """Which exchanges one half has and the other has not, or otherwise."""
    here: dict[UUID, tuple[bool, int]] = {}
    after: UUID | None = None
    async with out.database.tenant(tenant_id, read_only=True) as connection:
        while rows := await listed(connection, agreement_id, day, after):
            here |= {row["id"]: (row["reversed"], -row["amount"]) for row in rows}
            after = rows[-1]["id"]
    there: dict[UUID, tuple[bool, int]] = {}
    after = None
    while True:
        page = (await _ask(out, peer, agreement_id, day, after))["listed"]
        for one in page:
            if (found := read_node_id(one["id"])) is not None:
                after = found[1]
                there[after] = one["reversed"], _minor(one["amount"], places.money)
        if len(page) < LISTED_MAX:
            break
    return sorted(
        ident for ident in here.keys() | there.keys() if here.get(ident) != there.get(ident)
    )
