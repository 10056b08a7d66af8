"""Drives the real recorder and the real worker's duties for the machine of purchases."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import asyncpg

from loyalty.database import Database
from loyalty.jobs.follow_ons import FollowOns
from loyalty.jobs.lapses import HoldLapses
from loyalty.jobs.parked import ParkedReturns
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.timeline import Timeline
from loyalty.jobs.visit import Duty, Visit
from loyalty.plugin_set import PluginSet
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups

from .driver import Driver
from .gift_program import GiftProgram, plugin


class SalesDriver(Driver):
    units: ClassVar[Sequence[str]] = ("stars",)

    async def _open(self) -> None:
        self.database = await Database.open(self.dsn.app, size=2)
        self.worker_database = await Database.open(self.dsn.worker, size=2)
        self.audit = await asyncpg.connect(self.dsn.audit, server_settings={"jit": "off"})
        plugins = PluginSet((plugin,))
        self.recorder, self.worker = (
            Recorder(database, plugins, Setups(database, GiftProgram()), self.clock)
            for database in (self.database, self.worker_database)
        )
        self.duties: list[Duty] = [Timeline((HoldLapses(), FollowOns()), size=500), ParkedReturns()]

    def close(self) -> None:
        self.run(self.worker_database.close())
        super().close()

    def work(self, tenant_id: UUID) -> None:
        """Do all that is due in a tenant."""
        self.run(self._work(tenant_id))

    async def _work(self, tenant_id: UUID) -> None:
        visit = Visit(
            recorder=self.worker, tenant_id=tenant_id, now=self.clock.now(), postponed=Postponed()
        )
        while sum([await duty.slice(visit) for duty in self.duties]):
            pass
