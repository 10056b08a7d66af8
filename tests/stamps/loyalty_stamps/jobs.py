"""Cards that reached their end."""

from collections.abc import AsyncIterator
from datetime import datetime

from loyalty.facts import MemberRef
from loyalty.plugin import Connection, Due
from loyalty.setup import Setup
from loyalty_stamps.facts import CardExpired

AT_ONCE = 500


async def cards_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    slugs = {program.id: program.slug for program in setup.programs if program.kind == "stamps"}
    rows = await connection.fetch(
        """select program_id, member_id, ends_at from loyalty.stamps_card
            where tenant_id = (select loyalty.tenant()) and program_id = any($1)
              and stamps > 0 and ends_at <= $2 order by ends_at limit $3""",
        list(slugs),
        now,
        AT_ONCE,
    )
    for row in rows:
        yield Due(
            key=f"{row['program_id']}:{row['member_id']}:{row['ends_at'].isoformat()}",
            fact=CardExpired(
                member=MemberRef(id=row["member_id"]),
                occurred_at=row["ends_at"],
                program=slugs[row["program_id"]],
            ),
        )
