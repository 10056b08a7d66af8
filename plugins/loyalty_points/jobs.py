"""What falls due in points programs."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from loyalty.counters import stored_as, window_of
from loyalty.facts import MemberRef
from loyalty.plugin import Connection, Due, Job
from loyalty.setup import Program, Setup
from loyalty_points.caps import CapOn
from loyalty_points.config import PointsConfig
from loyalty_points.facts import CarriedOver
from loyalty_points.uses import given_counter, owed_counter

AT_ONCE = 500

# Members with something owed, who were not yet given it in this period.
_OWED = """
select c.member_id from loyalty.counter c
 where c.tenant_id = (select loyalty.tenant()) and c.name = $1
   and not exists (select from loyalty.fact f
                    where f.tenant_id = (select loyalty.tenant()) and f.scope = 'job:points'
                      and f.key = $2 || c.member_id::text)
 group by c.member_id having sum(c.value) > 0
 order by c.member_id limit $3"""


async def carried_over(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """On the first day of a cap's period: who is given what the cap cut in earlier ones."""
    for program in setup.programs:
        version = program.at(now) if program.kind == "points" else None
        if version is None or not isinstance(version.config, PointsConfig):
            continue
        for on in version.config.caps_on:
            if on.cap.carry_over and _is_first_day(on, setup, now):
                async for due in _owed(connection, setup, program, on, now):
                    yield due


def _is_first_day(on: CapOn, setup: Setup, now: datetime) -> bool:
    begins, _ = window_of(given_counter(on), now, setup.zone)
    return begins <= now < begins + timedelta(days=1)


async def _owed(
    connection: Connection, setup: Setup, program: Program, on: CapOn, now: datetime
) -> AsyncIterator[Due]:
    begins, _ = window_of(given_counter(on), now, setup.zone)
    key = f"carried:{program.id}:{on.target}:{begins.isoformat()}:"
    name = stored_as(program.slug, owed_counter(on))
    for row in await connection.fetch(_OWED, name, key, AT_ONCE):
        yield Due(
            key=f"{key}{row['member_id']}",
            fact=CarriedOver(
                member=MemberRef(id=row["member_id"]),
                occurred_at=now,
                program=program.slug,
                target=on.target,
            ),
        )


carry_over = Job(
    name="carry-over",
    every=timedelta(days=1),
    due=carried_over,
    when=lambda config: any(on.cap.carry_over for on in config.caps_on),
)
