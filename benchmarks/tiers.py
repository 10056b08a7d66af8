"""Ladders at the end of a year: standings that are due, looked at by `loyalty worker`.

Members, their sums and their standings are written by set-based SQL, shaped as the recorder writes
them: gold that was reached two years ago and ends with last year. Half of those have spent enough
in last year to keep it. Whoever is not due costs nothing but their row.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks import goods, meter, result
from benchmarks.expiry import at_work
from benchmarks.meter import Sample
from benchmarks.result import Bar, Result
from benchmarks.stand import BY, Brand, Stand, stand
from loyalty.days import iso
from loyalty.setup import Setup
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.kept_sums import stored_names

DUE, MEMBERS = 60_000, 200_000
FULL = 1_000_000
MINUTES_MAX = 15.0
SECONDS_MAX = 3_600.0
ZONE = ZoneInfo("America/New_York")
LADDER: dict[str, Any] = {
    "metrics": [{"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}],
    "tiers": [
        {"id": "basic", "label": "Basic"},
        {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "500"}}]},
    ],
}
TABLES = ("member", "counter", "trait", "tiers_standing")
MEMBER = """
insert into loyalty.member (tenant_id, id, external_id, enrolled_at)
select $1, uuidv7(), 'w' || lpad(n::text, 7, '0'), $2 from generate_series(1, $3::int) n
"""
# Ten days of purchases in each of the last two years: 600 dollars in the one before, and in the
# last one 600 or 300.
COUNTED = """
insert into loyalty.counter (tenant_id, name, member_id, bucket, value)
select $1, $2, m.id, y.start + interval '30 days' * d,
       case when y.start = $4 and m.n % 2 = 1 then 3000 else 6000 end
  from (select id, row_number() over (order by id) as n from loyalty.member
         where tenant_id = $1 and external_id ^@ 'w') m
  cross join unnest(array[$3::timestamptz, $4::timestamptz]) y (start)
  cross join generate_series(1, 10) d
"""
TRAIT = """
insert into loyalty.trait (tenant_id, member_id, name, fact_id, value, since, recorded_at)
select $1, m.id, 'status.' || t.name, uuidv7(), t.value, t.since, $2
  from loyalty.member m cross join (values
    ('tier', '"gold"'::jsonb, $3::timestamptz), ('tiers', '["basic", "gold"]', $3),
    ('tier', '"basic"', $4::timestamptz), ('tiers', '["basic"]', $4)) t (name, value, since)
 where m.tenant_id = $1 and m.external_id ^@ 'w'
"""
STANDING = """
insert into loyalty.tiers_standing (tenant_id, program_id, member_id, tier, since, until, reason,
                                    due_at, fingerprint, detail)
select $1, $2, m.id, 'gold', $3, case when m.n <= $5 then $4::timestamptz else $7::timestamptz end,
       'REACHED', case when m.n <= $5 then $4 else $7 end, $6,
       case when m.n <= $5 then $8::jsonb else $9::jsonb end
  from (select id, row_number() over (order by id) as n from loyalty.member
         where tenant_id = $1 and external_id ^@ 'w') m
"""
LEFT = """
select count(*) from loyalty.tiers_standing where tenant_id = $1 and due_at <= now()
"""
LOOKED = """
select exists (select 1 from loyalty.fact where tenant_id = $1
                and kind = 'tiers.ladder_reviewed/1' and payload ->> 'done' = 'true')
"""
DONE = """
select count(*) as facts, max(recorded_at) as last from loyalty.fact
 where tenant_id = $1 and kind = 'tiers.review_fallen_due/1'
"""
STAND = """
select reason, count(*) as members from loyalty.tiers_standing where tenant_id = $1 group by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """Starts of the year before last, of last year, of this one and of the next."""

    before: datetime
    last: datetime
    now: datetime
    next: datetime

    @classmethod
    def of(cls, at: datetime) -> "Years":
        starts = [datetime(at.year + n, 1, 1, tzinfo=ZONE).astimezone(UTC) for n in range(-2, 2)]
        return cls(before=starts[0], last=starts[1], now=starts[2], next=starts[3])


async def reviewed(*, full: bool) -> Result:
    """How many members a second are looked at whose tier ends, and what became of them."""
    due, members = (FULL, FULL) if full else (DUE, MEMBERS)
    async with stand() as on:
        brand = await on.brand(members=0)
        years = Years.of(datetime.now(ZONE))
        program = await _ladder(on, brand, since=years.before)
        await _settled(on, brand)
        await _grow(on, brand, program, years, members, due)
        sample, facts, stood = await _reviewed(on, brand)
    minutes = round(FULL / sample.rate / 60, 1)
    note = f"{due:,} due of {members:,}, {sample.seconds:,.0f} s"
    return Result(
        case="tiers",
        rows=[result.row("standings that end", "members", sample, note=note)],
        bars=[Bar(figure="minutes for a million members", value=minutes, limit=MINUTES_MAX,
                  most=True)],
        figures={
            "members": members, "due": due, "facts": facts, "seconds": round(sample.seconds, 1),
            "members_a_second": round(sample.rate), "kept": stood.get("KEPT", 0),
            "lost": stood.get("NOT_KEPT", 0), "lines": goods.LINES,
        },
    )  # fmt: skip


async def _ladder(on: Stand, brand: Brand, since: datetime) -> Any:
    now, configs = datetime.now(UTC), on.ledger.configs
    async with on.ledger.database.tenant(brand.tenant_id) as connection:
        program = await create_program(
            connection, configs, BY, slug="status", kind="tiers", name="Status", config=LADDER,
            now=now,
        )  # fmt: skip
        return await publish_program(
            connection, configs, BY, program.id, expected_version=program.version,
            effective_from=since, now=now,
        )  # fmt: skip


async def _settled(on: Stand, brand: Brand) -> Setup:
    """The setup once the ladder is in force and everybody was looked at by its rules: nobody."""
    with at_work(on):
        give_up = time.monotonic() + 60
        while True:
            async with on.ledger.database.tenant(brand.tenant_id, read_only=True) as connection:
                if await connection.fetchval(LOOKED, brand.tenant_id):
                    return await on.ledger.recorder.setups.read(connection, brand.tenant_id)
            if time.monotonic() > give_up:
                raise RuntimeError("the ladder does not come into force")
            await asyncio.sleep(0.2)


async def _grow(
    on: Stand, brand: Brand, program: Any, years: Years, members: int, due: int
) -> None:
    tenant, config = brand.tenant_id, TiersConfig.model_validate(LADDER)
    setup = await on.ledger.recorder.setups.get(tenant)
    ladder = setup.program("status")
    assert ladder is not None
    (name,) = stored_names(ladder, config)
    reached: dict[str, Any] = {
        "reachedAt": iso(years.before),
        "basis": {"at": iso(years.before), "less": {}},
    }
    ends_now, ends_later = (
        reached | {"thenAt": iso(at), "then": "basic", "plan": [[iso(at), "basic"]]}
        for at in (years.now, years.next)
    )
    connection = await asyncpg.connect(on.admin)
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
        )
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(MEMBER, tenant, years.before, members)
            await connection.execute(COUNTED, tenant, name, years.before, years.last)
            await connection.execute(TRAIT, tenant, years.before, years.before, years.now)
            await connection.execute(
                STANDING, tenant, ladder.id, years.before, years.now, due, config.fingerprint,
                years.next, ends_now, ends_later,
            )  # fmt: skip
        for table in TABLES:
            await connection.execute(f"vacuum analyze loyalty.{table}")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def _reviewed(on: Stand, brand: Brand) -> tuple[Sample, int, dict[str, int]]:
    connection = await asyncpg.connect(on.admin)
    begun = datetime.now(UTC)
    used = 0.0 if on.postgres is None else meter.family(on.postgres)
    try:
        # Its turn came when the ladder was published; now there is something to look at.
        await connection.execute(
            "update loyalty.job set due_at = now() where tenant_id = $1 and name ^@ 'plugin:tiers'",
            brand.tenant_id,
        )
        with at_work(on) as worker:
            give_up = time.monotonic() + SECONDS_MAX
            while await connection.fetchval(LEFT, brand.tenant_id):
                if time.monotonic() > give_up or not worker.is_running():
                    raise RuntimeError("the worker does not come to an end")
                await asyncio.sleep(0.5)
            python = meter.cpu(worker)
        done = await connection.fetchrow(DONE, brand.tenant_id)
        rows = await connection.fetch(STAND, brand.tenant_id)
    finally:
        await connection.close()
    used = 0.0 if on.postgres is None else meter.family(on.postgres) - used
    seconds = (done["last"] - begun).total_seconds()
    stood = {row["reason"]: row["members"] for row in rows}
    return Sample(done["facts"], seconds, python, used), done["facts"], stood
