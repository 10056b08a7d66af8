"""Filling new counters from history, so that a program published today knows last year.

A line is drawn by raising the tenant's epoch, which waits for the batches under way: facts below it
are counted here, those above by the recorder, which keeps the counters of a version from the moment
it is published. Sums and watermark move in one transaction, so a crash between two slices or within
one neither loses a fact nor counts it twice. When the history is through, the version is activated.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from loyalty.codec import Codec
from loyalty.counters import bucket_of
from loyalty.facts import Fact, FactKey, LotsDue, MemberRef, corrected_to
from loyalty.ids import NIL
from loyalty.jobs import schedule
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit
from loyalty.plugin import Connection, Counter, Scope
from loyalty.plugin_set import PluginSet
from loyalty.settlement.measuring import (
    from_history,
    given_at,
    granted_view,
    measured_by,
    measured_left,
    measured_of,
)
from loyalty.settlement.remaining import Back, borne, remaining
from loyalty.settlement.sale import Sale
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.view import Measured

KIND = "backfill"
CLEARED_AT_ONCE = 5_000
NOT_INSTALLED_PAUSE = timedelta(minutes=10)

_CLEAR = """
delete from loyalty.counter c using (
    select name, member_id, bucket from loyalty.counter
     where name = any($1) and bucket > '-infinity' limit $2) old
 where c.name = old.name and c.member_id = old.member_id and c.bucket = old.bucket
"""
_HISTORY = """
select f.id, f.kind, f.member_id, f.occurred_at, f.payload, d.body
  from loyalty.fact f left join loyalty.decision d on (d.tenant_id, d.fact_id) = (f.tenant_id, f.id)
 where f.id > $1 and f.epoch < $2 order by f.id limit $3
"""
# What came back of them below the line; what came back later the recorder takes off.
_RETURNS = """
select x.id as sale_id, f.scope, f.key, d.body from unnest($1::uuid[]) x(id)
  cross join lateral (
    select f.id, f.tenant_id, f.scope, f.key from loyalty.fact f where f.cause_id = x.id
       and f.kind in ('PurchaseReversed', 'FactReversed') and f.epoch < $2 offset 0) f
  cross join lateral (
    select d.body from loyalty.decision d
     where d.tenant_id = f.tenant_id and d.fact_id = f.id limit 1) d
"""
# In the order in which the append writes them, or the two could wait for each other.
_ADD = """
insert into loyalty.counter as c (tenant_id, name, member_id, bucket, value)
  select loyalty.tenant(), x.* from unnest($1::text[], $2::uuid[], $3::timestamptz[],
      $4::bigint[]) x(name, member_id, bucket, value)
   order by x.name, x.member_id, x.bucket
on conflict (tenant_id, name, member_id, bucket) do update set value = c.value + excluded.value
"""


class Versions(Protocol):
    """Who keeps the versions of programs."""

    async def activate(self, connection: Connection, version_id: UUID, now: datetime) -> bool:
        """The version's counters are full: it judges from `now` on."""


async def fill(
    connection: Connection, version_id: UUID, counters: Sequence[str], now: datetime
) -> None:
    """Ask for a version's counters (by their names in the config) to be filled."""
    await schedule.soon(connection, f"{KIND}:{version_id}", now, {"counters": list(counters)})


class Backfill:
    def __init__(self, versions: Versions, *, size: int = 1_000) -> None:
        self._versions = versions
        self._size = size

    async def run(self, visit: Visit, row: JobRow) -> int:
        async with visit.transaction() as connection:
            # Held to the end of the slice; another worker passes it by.
            held = await connection.fetchrow(
                "select watermark, detail from loyalty.job where name = $1 for update skip locked",
                row.name,
            )
            if held is None:
                return 0
            setup = await visit.recorder.setups.read(connection, visit.tenant_id)
            found = _version(setup, UUID(row.which))
            if found is None:  # its plugin is not installed here
                await schedule.move_on(connection, row, visit.now + NOT_INSTALLED_PAUSE)
                return 0
            program, version = found
            if any(v.backfilling and v.number < version.number for v in program.versions):
                return 0  # what it shares with an older version is filled by that one's turn
            counters = _wanted(visit.recorder.plugins, program, version, held["detail"])
            if "epoch" not in held["detail"]:
                return await _begin(connection, row, counters)
            return await self._slice(connection, visit, row, held, setup, program, counters)

    async def _slice(
        self, connection: Connection, visit: Visit, row: JobRow, held: Any, setup: Setup,
        program: Program, counters: Mapping[str, Counter],
    ) -> int:  # fmt: skip
        """Count the next facts of the history, or activate the version when there are none."""
        after, epoch = held["watermark"] or NIL, held["detail"]["epoch"]
        facts = await connection.fetch(_HISTORY, after, epoch, self._size) if counters else ()
        if not facts:
            await self._versions.activate(connection, UUID(row.which), visit.now)
            await connection.execute("delete from loyalty.job where name = $1", row.name)
            return 1
        returns: dict[UUID, list[Any]] = {}
        for back in await connection.fetch(_RETURNS, [fact["id"] for fact in facts], epoch):
            returns.setdefault(back["sale_id"], []).append(back)
        sums = measured(visit.recorder.plugins, setup, program.slug, counters, facts, returns)
        columns = zip(*((*key, value) for key, value in sums.items()), strict=True)
        if sums:
            await connection.execute(_ADD, *map(list, columns))
        await connection.execute(
            "update loyalty.job set watermark = $2 where name = $1", row.name, facts[-1]["id"]
        )
        return len(facts)


def _version(setup: Setup, version_id: UUID) -> tuple[Program, ProgramVersion] | None:
    return next(
        (
            (program, version)
            for program in setup.programs
            for version in program.versions
            if version.id == version_id
        ),
        None,
    )


def _wanted(
    plugins: PluginSet, program: Program, version: ProgramVersion, detail: Mapping[str, Any]
) -> dict[str, Counter]:
    """The counters to fill by the name they are kept under."""
    plugin = plugins.by_name[program.kind]
    return {
        name: counter
        for name, counter in plugins.full_names(program, plugin, version).items()
        if counter.name in detail["counters"]
    }


async def _begin(connection: Connection, row: JobRow, counters: Mapping[str, Counter]) -> int:
    """Clear what an earlier version may have left of these counters, then draw the line.

    Most is cleared in slices that hold nobody up; the rest while nothing can be recorded.
    """
    cleared = await connection.execute(_CLEAR, list(counters), CLEARED_AT_ONCE)
    if int(cleared.split()[-1]) < CLEARED_AT_ONCE:
        epoch = await connection.fetchval(
            "update loyalty.tenant set epoch = epoch + 1"
            " where tenant_id = loyalty.tenant() returning epoch"
        )
        await connection.execute(_CLEAR, list(counters), None)
        await connection.execute(
            "update loyalty.job set detail = detail || $2 where name = $1",
            row.name,
            {"epoch": epoch},
        )
    return 1


def measured(
    plugins: PluginSet, setup: Setup, slug: str, counters: Mapping[str, Counter],
    facts: Sequence[Any], returns: Mapping[UUID, Sequence[Any]],
) -> dict[tuple[str, UUID, datetime], int]:  # fmt: skip
    """What the recorder would have counted, by counter, member and bucket."""
    sums: dict[tuple[str, UUID, datetime], int] = {}
    for row in facts:
        if "grants" not in (row["body"] or ()) and row["kind"] != LotsDue.KIND:
            continue  # rules were not asked (a return that was parked), so nothing was measured
        member_id = row["member_id"]
        try:
            whole, left, bore, gone = _history(plugins.codec, row, returns.get(row["id"], ()))
        except KeyError:
            continue  # of a plugin that is gone
        for name, counter in counters.items():
            if counter.scope is Scope.MEMBER and member_id is None:
                continue
            subject = member_id if counter.scope is Scope.MEMBER else NIL
            if counter.returns or gone:
                moved = measured_left(counter, slug, left, bore)
            else:
                moved = measured_by(counter, slug, whole)
            deltas = [(row["occurred_at"], moved)]
            deltas += _elsewhere(counter, slug, whole[0][0], row)
            for at, delta in deltas:
                if delta:
                    key = (name, subject, bucket_of(counter, at, setup.zone))
                    sums[key] = sums.get(key, 0) + delta
    return sums


def _elsewhere(
    counter: Counter, slug: str, fact: Fact, row: Mapping[str, Any]
) -> Iterator[tuple[datetime, int]]:
    """Of what a return took back: so much more where it was given, as less where it went back."""
    for grant in (row["body"] or {}).get("grants", ()):
        if (at := given_at(grant)) is not None:
            moved = measured_of(counter, slug, fact, granted_view(grant))
            yield row["occurred_at"], -moved
            yield at, moved


def _history(
    codec: Codec, row: Mapping[str, Any], returns: Sequence[Any]
) -> tuple[Measured, Measured, Measured, bool]:
    """What was measured of a fact, what is left of it, what was spent of it where nothing is, and
    whether it was corrected since."""
    member = MemberRef(id=row["member_id"]) if row["member_id"] else None
    fact, body = codec.load(row["kind"], row["payload"], member), row["body"] or {}
    whole = from_history(codec, fact, body)
    if not returns:
        return whole, whole, (), False
    sale = Sale(
        fact_id=row["id"], member_id=row["member_id"], fact=fact, grants=body.get("grants", []),
        emitted=body.get("emitted", ()),
    )  # fmt: skip
    for back in returns:
        sale.with_return(back["body"])
    gone = any(corrected_to(FactKey(back["scope"], back["key"])) for back in returns)
    back = Back.of(sale)
    return whole, remaining(codec, sale, back), borne(codec, sale, back), gone
