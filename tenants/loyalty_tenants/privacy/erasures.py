"""Erasing a member, from the request to the last fact; who stops in between leaves it to a job."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from loyalty import members
from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberErased, MemberRef
from loyalty.jobs import schedule
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit
from loyalty.plugin_set import PluginSet
from loyalty.privacy import erasing
from loyalty.privacy.registry import Registry
from loyalty.settlement.request import Recorded, Request
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor
from loyalty_tenants.privacy.tenant_rows import TENANT_ROWS
from loyalty_tenants.webhooks.topics import Topics

JOB = "erasure"
Record = Callable[[MemberClosed | MemberErased], Awaitable[Recorded]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """`complete`: all of it is gone; else a worker takes the rest away, or whoever asks again."""

    member_id: UUID
    complete: bool
    replayed: bool


class Erasures:
    """Erases members of any tenant, over one database login."""

    def __init__(self, database: Database, plugins: PluginSet, clock: Clock) -> None:
        self.registry = Registry(plugins, TENANT_ROWS)
        self._database = database
        self._plugins = plugins
        self._clock = clock

    @cached_property
    def _told(self) -> Mapping[str, list[str]]:
        """What is personal in each topic; few processes ever ask."""
        return {name: list(paths) for name, paths in Topics(self._plugins).personal.items()}

    async def erase(
        self, tenant_id: UUID, ref: MemberRef, by: Actor, record: Record, *, pages: int
    ) -> Erased:
        """Close the membership where it is open, and take away who the member was.

        `record` records a fact as the caller. `pages` is how many pages of facts are gone over at
        once; a worker's job does the rest.

        :raises Refused: MEMBER_NOT_FOUND
        """
        async with self._database.tenant(tenant_id, read_only=True) as connection:
            found = await members.find(connection, ref)
        if found is None:
            raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
        known, now = MemberRef(id=found.id), self._clock.now()
        if found.status != "CLOSED":
            try:
                await record(MemberClosed(member=known, occurred_at=now))
            except Refused as refused:
                if refused.code is not Code.ALREADY_CLOSED:  # somebody was faster
                    raise
        recorded = await record(MemberErased(member=known, occurred_at=now))
        first = await self._begin(tenant_id, found.id, by)
        more = await self.go_on(tenant_id, found.id, pages=pages)
        return Erased(
            member_id=found.id, complete=not more, replayed=recorded.replayed and not first
        )

    async def _begin(self, tenant_id: UUID, member_id: UUID, by: Actor) -> bool:
        """What is gone over at once, with the note of who asked; whether nobody had before."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            begun = await erasing.begin(
                connection, self.registry, member_id, now=now, by=f"{by.role.lower()}:{by.subject}"
            )
            await connection.execute(
                "select loyalty.erase_told((select loyalty.tenant()), $1, $2, $3)",
                member_id, list(begun.names), dict(self._told),
            )  # fmt: skip
            await schedule.soon(connection, f"{JOB}:{member_id}", now)
            await audit.write(
                connection, by, action="member.erase", subject=f"member:{member_id}", now=now,
                details={"again": not begun.first},
            )  # fmt: skip
        return begun.first

    async def go_on(self, tenant_id: UUID, member_id: UUID, *, pages: int) -> bool:
        """Go over up to so many further pages of facts; whether any may be left."""
        for _ in range(pages):
            async with self._database.tenant(tenant_id) as connection:
                now = self._clock.now()
                if not await erasing.go_on(connection, self.registry, member_id, now=now):
                    await connection.execute(
                        "delete from loyalty.job where name = $1", f"{JOB}:{member_id}"
                    )
                    return False
        return True


class ErasureJob:
    """The worker's part: it goes on where anybody stopped."""

    async def run(self, visit: Visit, row: JobRow) -> int:
        recorder = visit.recorder
        erasures = Erasures(recorder.database, recorder.plugins, recorder.clock)
        await erasures.go_on(visit.tenant_id, UUID(row.which), pages=1)
        return 1


def request_of(fact: MemberClosed | MemberErased, by: Actor) -> Request:
    """What a command line records for `erase`."""
    return Request(
        fact=fact,
        actor=f"{by.role.lower()}:{by.subject}",
        request_id=by.request_id or "",
        while_suspended=True,
    )
