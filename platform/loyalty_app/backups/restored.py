"""What a database needs after it was restored, before anybody is served from it."""

from typing import Any
from uuid import UUID

NEW_EPOCH = "update loyalty.installation set epoch = gen_random_uuid() returning epoch"


async def new_epoch(connection: Any) -> UUID:
    """Draw another epoch, as the schema's owner: what was cached in a former life is never read."""
    async with connection.transaction():
        await connection.execute("set local role loyalty_owner")
        epoch: UUID = await connection.fetchval(NEW_EPOCH)
    return epoch
