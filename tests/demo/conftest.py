"""The data set, read once; and a tenant for it with a recorder of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from loyalty.clock import SetClock
from loyalty.ids import new_id
from loyalty_app.demo.direct import Direct
from loyalty_app.demo.frames import Frames, load
from loyalty_app.demo.stand import stand
from loyalty_app.demo.timeline import YEAR_START
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from tests.auditor import audit


@pytest.fixture(scope="session")
def frames() -> Frames:
    return load()


@dataclass(slots=True)
class Stand:
    """A tenant that runs the demo's program, and its ledger's auditor."""

    api: Direct
    tenant_id: UUID
    audit_dsn: str

    async def audited(self) -> None:
        assert not await audit(self.audit_dsn, [self.tenant_id])


@pytest.fixture
async def make_stand(dsn: Addresses) -> AsyncIterator[Callable[[], Awaitable[Stand]]]:
    clock = SetClock(YEAR_START)
    # No Redis: nothing here asks a cache.
    settings = Settings(app_database_url=dsn.app)
    async with open_ledger(settings, dsn.app, clock=clock) as ledger:

        async def make() -> Stand:
            slug = f"journey-{new_id().hex[-12:]}"
            tenant_id = await stand(ledger.database, ledger.configs, slug, YEAR_START)
            return Stand(Direct(ledger.recorder, clock, tenant_id), tenant_id, dsn.audit)

        yield make
