"""Month-end sweeps: the worker's own duty of ending lots, and nothing else of a worker's.

A whole worker would also delete what is kept for some time only, such as the keys of redemptions
after 30 days; a replay that is run again needs them.
"""

from datetime import datetime
from uuid import UUID

from loyalty.jobs.expiry import LotExpiry
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.timeline import Timeline
from loyalty.jobs.visit import SLICE, Visit
from loyalty.recorder.recorder import Recorder

EXPIRED = "select coalesce(sum(amount), 0)::bigint from loyalty.posting where kind = 'EXPIRE'"


async def sweep(recorder: Recorder, tenant_id: UUID, now: datetime) -> None:
    """End every lot whose term is reached by `now`, which is what the recorder's clock says."""
    duty = Timeline((LotExpiry(),), size=SLICE)
    visit = Visit(recorder=recorder, tenant_id=tenant_id, now=now, postponed=Postponed())
    while await duty.slice(visit):
        pass


async def expired(recorder: Recorder, tenant_id: UUID) -> int:
    """All points whose end was booked."""
    async with recorder.database.tenant(tenant_id, read_only=True) as connection:
        return int(await connection.fetchval(EXPIRED))
