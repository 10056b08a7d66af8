"""What is measured on: a platform of its own in a temporary folder, real servers, fsync on."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from benchmarks import goods, meter, watch
from benchmarks.meter import Sample, Work
from benchmarks.watch import watched
from loyalty.facts import MemberEnrolled
from loyalty.ids import new_id
from loyalty.settlement.request import Request
from loyalty_app.garbage import collect_seldom
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.prepare import prepare
from loyalty_app.servers import servers
from loyalty_app.settings import Settings
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.units import create_unit

ZONE = "America/New_York"
BY = Actor(role=Role.OPERATOR, subject="benchmarks")
PROGRAM: dict[str, Any] = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "terms": {"lifetime": {"span": "P12M", "ends": "exact"}},
}


@dataclass(frozen=True, slots=True)
class Brand:
    """A tenant with one program of one rule, and its members `m000000`, `m000001`, ..."""

    tenant_id: UUID
    program_id: UUID
    api_key: str
    members: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    settings: Settings
    ledger: Ledger
    postgres: psutil.Process | None  # None where the server was given

    async def timed(self, work: Work, python: psutil.Process | None = None) -> Sample:
        """`meter.timed`, with the CPU of this stand's Postgres."""
        return await meter.timed(work, python, self.postgres)

    @property
    def admin(self) -> str:
        """The superuser's address: what is written by hand runs past row security."""
        assert self.settings.database_url is not None
        return self.settings.database_url

    async def analyze(self) -> None:
        """What is written by hand is planned by statistics, as where it runs for a while."""
        connection = await asyncpg.connect(self.admin)
        try:
            await connection.execute("analyze")
        finally:
            await connection.close()

    async def brand(
        self, members: int = goods.MEMBERS, config: Mapping[str, Any] = PROGRAM
    ) -> Brand:
        now = datetime.now(UTC)
        slug = f"bench-{new_id().hex[-12:]}"
        terms = TenantSettings(name="Bench", zone=ZONE, currencies=("USD",))
        made = await create_tenant(self.ledger.database, BY, slug=slug, settings=terms, now=now)
        program_id, key = await self._furnish(made.tenant_id, config, now)
        requests = [
            Request(
                fact=MemberEnrolled(occurred_at=now, external_id=goods.member(n)), actor="bench"
            )
            for n in range(members)
        ]
        found = await self.ledger.recorder.record_many(made.tenant_id, requests)
        idents = tuple(goods.stood(outcome).member_id or made.tenant_id for outcome in found)
        return Brand(made.tenant_id, program_id, key, idents)

    async def _furnish(
        self, tenant_id: UUID, config: Mapping[str, Any], now: datetime
    ) -> tuple[UUID, str]:
        """The unit, the program and a key; answers the program's id and the key's text."""
        configs = self.ledger.configs
        async with self.ledger.database.tenant(tenant_id) as connection:
            await create_unit(connection, BY, code="points", name="Points", now=now)
            program = await create_program(
                connection, configs, BY, slug="points", kind="points", name="Points",
                config=config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, configs, BY, program.id, expected_version=program.version, now=now
            )
            key = await issue_key(connection, BY, role=Role.ADMIN, client="bench", now=now)
        return program.id, key.text


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    before = meter.servers_here()
    with _folder() as folder, watched(_settings(folder)) as given, servers(given) as found:
        postgres = next(iter(meter.servers_here() - before), None)
        settings, _ = await prepare(found)
        async with open_ledger(settings, settings.need("app_database_url")) as ledger:
            collect_seldom()  # as in every process that serves
            on = Stand(settings, ledger, postgres)
            await watch.begin(on.admin)
            yield on
            await watch.tell(on.admin)


def _settings(folder: Path) -> Settings:
    """Nothing of the environment but, where they are named, the servers to measure on."""
    return Settings(
        database_url=os.environ.get("BENCH_DATABASE_URL"),
        redis_url=os.environ.get("BENCH_REDIS_URL"),
        app_database_url=None,
        worker_database_url=None,
        audit_database_url=None,
        operator_secret=secrets.token_urlsafe(32),
        data_dir=folder,
    ).unrationed()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="loyalty-bench-"))
    folder.chmod(0o711)  # root's servers run as another user and must pass through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
