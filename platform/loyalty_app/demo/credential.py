"""The key of the demo's till, kept in the data folder: the platform shows a key only once."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from loyalty.database import Database
from loyalty_app import private
from loyalty_app.demo.stand import BY
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Role

CLIENT = "till"


async def till_key(database: Database, tenant_id: UUID, folder: Path, now: datetime) -> str:
    """The key as text; issued anew where the one that is kept is another tenant's."""
    path = folder / "till.json"
    kept = private.read(path)
    if kept.get("tenant") != str(tenant_id):
        async with database.tenant(tenant_id) as connection:
            key = await issue_key(connection, BY, role=Role.SERVICE, client=CLIENT, now=now)
        kept = {"tenant": str(tenant_id), "key": key.text}
        private.write(path, kept)
    return str(kept["key"])
