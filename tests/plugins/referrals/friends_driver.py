"""Drives the real recorder and worker for stories of friends, in one program of a tenant."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from loyalty.database import Database
from loyalty.facts import MemberEnrolled, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.ids import new_id
from loyalty.jobs.follow_ons import FollowOns
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.timeline import Timeline
from loyalty.jobs.visit import Visit
from loyalty.plugin_set import PluginSet
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import ClientKey, Request
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.units import Unit
from loyalty_referrals.commands import ReviewReferral
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.plugin import plugin
from tests.kernel.properties.driver import Driver
from tests.kernel.properties.two_programs import START
from tests.plugins.referrals.ring_of_friends import CONFIG


class OneProgram:
    """Every tenant runs the program `friends`, of the id that is the tenant's own."""

    async def load(self, connection: Any, tenant_id: UUID) -> Setup:
        version = ProgramVersion(
            id=tenant_id, number=1, effective_from=START - timedelta(days=9),
            config=ReferralsConfig.model_validate(CONFIG),
        )  # fmt: skip
        friends = Program(
            id=tenant_id, slug="friends", name="friends", kind="referrals", position=0,
            versions=(version,),
        )  # fmt: skip
        return Setup(
            tenant_id=tenant_id, slug="t", name="T", zone=ZoneInfo("UTC"), epoch=1,
            currencies=("USD",), units={"points": Unit(code="points")}, programs=(friends,),
            backdating=timedelta(days=9_999),
        )  # fmt: skip


class FriendsDriver(Driver):
    units: ClassVar[Sequence[str]] = ("points",)

    async def _open(self) -> None:
        self.database = await Database.open(self.dsn.app, size=2)
        self.worker_database = await Database.open(self.dsn.worker, size=2)
        self.audit = await asyncpg.connect(self.dsn.audit, server_settings={"jit": "off"})
        plugins = PluginSet((plugin,))
        self.recorder, self.worker = (
            Recorder(database, plugins, Setups(database, OneProgram()), self.clock)
            for database in (self.database, self.worker_database)
        )
        self.timeline = Timeline((FollowOns(),), size=500)

    def close(self) -> None:
        self.run(self.worker_database.close())
        super().close()

    async def _insert_tenant(self, tenant_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as connection:
            await connection.execute(
                "insert into loyalty.tenant (tenant_id, slug, name, zone, created_at)"
                " values ($1, $2, 'T', 'UTC', $3)",
                tenant_id, f"r-{new_id().hex[-20:]}", START,
            )  # fmt: skip
            await connection.execute(
                """insert into loyalty.program
                     (tenant_id, id, slug, kind, name, position, draft, created_at)
                   values ($1, $1, 'friends', 'referrals', 'friends', 0, '{}', $2)""",
                tenant_id, START,
            )  # fmt: skip

    def enroll(self, tenant_id: UUID, name: str, **attributes: str) -> UUID:
        fact = MemberEnrolled(occurred_at=self.clock.now(), external_id=name, attributes=attributes)
        (done,) = self.record(tenant_id, Request(fact=fact, actor="test"))
        assert not isinstance(done, Exception)
        assert done.member_id is not None
        return done.member_id

    def codes(self, tenant_id: UUID) -> dict[UUID, str]:
        rows = self.rows(tenant_id, "select member_id, code from loyalty.referral_code")
        return {row["member_id"]: row["code"] for row in rows}

    def purchase(self, member: UUID, order: str, lines: Sequence[int]) -> PurchaseRecorded:
        return PurchaseRecorded(
            member=MemberRef(id=member), occurred_at=self.clock.now(), source="shop",
            external_id=order, currency="USD", total=sum(lines),
            lines=tuple(Line(id=str(at), amount=net) for at, net in enumerate(lines)),
            tenders=(Tender(kind=TenderKind.OTHER, amount=sum(lines)),),
        )  # fmt: skip

    def returned(self, order: str, line: int, amount: int) -> PurchaseReversed:
        return PurchaseReversed(
            occurred_at=self.clock.now(), source="shop", return_id=new_id().hex,
            purchase_external_id=order, lines=(ReturnedLine(id=str(line), amount=amount),),
        )  # fmt: skip

    def reviewed(self, tenant_id: UUID, friend: UUID, release: bool) -> Outcome:
        command = ReviewReferral(
            member=MemberRef(id=friend), occurred_at=self.clock.now(), program="friends",
            release=release, reason="so", by="admin",
        )  # fmt: skip
        key = ClientKey("test", new_id().hex)
        (done,) = self.record(tenant_id, Request(fact=command, actor="test", client_key=key))
        return done

    def work(self, tenant_id: UUID) -> None:
        """Do all that follows."""
        self.run(self._work(tenant_id))

    async def _work(self, tenant_id: UUID) -> None:
        visit = Visit(
            recorder=self.worker, tenant_id=tenant_id, now=self.clock.now(), postponed=Postponed()
        )
        while await self.timeline.slice(visit):
            pass
