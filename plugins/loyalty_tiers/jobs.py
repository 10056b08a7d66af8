"""What falls due on ladders: standings that end, and everybody's where the rules changed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.plugin import Connection, Due, Job
from loyalty.refused_due import is_refused_about
from loyalty.setup import Program, Setup
from loyalty_tiers.climbing import advance
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.deriving import start
from loyalty_tiers.facts import LadderReviewed, ReviewDue
from loyalty_tiers.foretelling import foretold
from loyalty_tiers.kept_sums import counted, stored_names, sums_of
from loyalty_tiers.ladders import ladders
from loyalty_tiers.standings import standings_of

SCOPE = "job:tiers"
AT_ONCE = 2_000  # standings that are named in one turn
LOOKED_AT = 1_000  # members that are looked at in one statement, under new rules
LOOKS_MAX = 20  # and so often in one turn
EVERY = timedelta(minutes=5)

# A worker begins with an eighth of the members, drawn anew each time: of two that come at once each
# does a part. The last byte of an id is as good as a die. Where there are not enough of these the
# others follow.
_DUE = f"""
with drawn as materialized (select floor(random() * 8)::int as part),
standing as not materialized (
  select s.member_id, s.due_at, s.detail -> 'version' as version,
         get_byte(uuid_send(s.member_id), 15) % 8 as part
    from loyalty.tiers_standing s
   where s.tenant_id = (select loyalty.tenant()) and s.program_id = $1 and s.due_at <= $2
     and exists (select 1 from loyalty.member m where m.tenant_id = s.tenant_id
                  and m.id = s.member_id and m.status <> 'CLOSED')
     and not {is_refused_about(f"'{SCOPE}'", "s.member_id", "'review:' || $1 || ':'", "s.due_at")})
(select member_id, due_at, version from standing
  where part = (select part from drawn) order by due_at limit $3)
union all
(select member_id, due_at, version from standing
  where part <> (select part from drawn) order by due_at limit $3)
 limit $3
"""
_REVIEWED = """
select f.payload from loyalty.fact f where f.scope = $1 and f.key ^@ $2 order by f.id desc limit 1
"""
_MEMBERS = """
select m.id, m.enrolled_at from loyalty.member m
 where m.tenant_id = (select loyalty.tenant()) and m.id > $1 and m.status <> 'CLOSED'
 order by m.id limit $2
"""


async def reviews_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Standings that are due, each at the instant at which it is."""
    for program, _ in ladders(setup, now):
        for row in await connection.fetch(_DUE, program.id, now, AT_ONCE):
            at, version = row["due_at"], row["version"] or 0
            prefix = f"review:{program.id}:{at.isoformat()}:{version}"
            yield _review(program, row["member_id"], at, prefix)


async def rules_changed(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Who stands elsewhere under the rules in force: looked at once each time that they change."""
    for program, config in ladders(setup, now):
        prefix = f"rules:{program.id}:{_began(program, now)}:{config.fingerprint}"
        last = await connection.fetchval(_REVIEWED, SCOPE, f"{prefix}/")
        if last is not None and last["done"]:
            continue
        up_to, found = UUID(last["up_to"]) if last else NIL, 0
        for _ in range(LOOKS_MAX):
            members = await connection.fetch(_MEMBERS, up_to, LOOKED_AT)
            for member_id in await _moved(connection, setup, program, config, members, now):
                yield _review(program, member_id, now, prefix)
                found += 1
            up_to = members[-1]["id"] if members else up_to
            if len(members) < LOOKED_AT or found >= AT_ONCE:
                break
        yield Due(
            key=f"{prefix}/{up_to}{'' if members else ':done'}",
            fact=LadderReviewed(
                occurred_at=now, program=program.slug, rules=config.fingerprint,
                up_to=str(up_to), done=not members,
            ),
        )  # fmt: skip


async def _moved(
    connection: Connection, setup: Setup, program: Program, config: TiersConfig,
    members: Any, now: datetime,
) -> list[UUID]:  # fmt: skip
    """Those of whom looking would change anything."""
    names = stored_names(program, config)
    rows = await counted(connection, [(one["id"], name) for one in members for name in names])
    kept = await standings_of(connection, [(one["id"], program.id) for one in members])
    found = []
    for member in members:
        mine = [rows.get((member["id"], name), ()) for name in names]
        standing = kept.get((member["id"], program.id)) or start(config, member["enrolled_at"])
        if standing.due_at is not None and standing.due_at <= now:
            continue  # the other job's
        sums = sums_of(setup, config, member["enrolled_at"], mine, now)
        there, steps = advance(standing, sums, now)
        there, _ = foretold(standing, there, steps, now)
        if replace(there, fingerprint=standing.fingerprint) != standing:
            found.append(member["id"])
    return found


def _began(program: Program, now: datetime) -> int:
    """The number of the version with which the rules in force began: later ones may say the same
    in other words, and rules that came back are new."""
    begun = [one for one in program.versions if one.effective_from <= now and not one.backfilling]
    first = begun[-1]
    for version in reversed(begun):
        if version.config.fingerprint != first.config.fingerprint:
            break
        first = version
    return first.number


def _review(program: Program, member_id: UUID, at: datetime, prefix: str) -> Due:
    fact = ReviewDue(member=MemberRef(id=member_id), occurred_at=at, program=program.slug)
    return Due(key=f"{prefix}:{member_id}", fact=fact)


JOBS = (
    Job(name="reviews", every=EVERY, due=reviews_due, each_turn=False, side_by_side=True),
    Job(name="new-rules", every=EVERY, due=rules_changed, each_turn=False, side_by_side=True),
)
