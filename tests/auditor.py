"""The audit over connections that stay: a new one for each test takes ten times as long."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from loyalty.audit import Finding, audit_over, connect
from loyalty.plugin import Plugin

_open: dict[str, Any] = {}


async def audit(dsn: str, tenants: Sequence[UUID], plugins: Sequence[Plugin] = ()) -> list[Finding]:
    """As `loyalty.audit.audit`, over the one connection of this worker to that database."""
    connection = _open.pop(dsn, None)
    if connection is None or connection.is_closed():
        connection = await connect(dsn)
    try:
        found = await audit_over(connection, tenants, plugins)
    except BaseException:
        await connection.close()
        raise
    _open[dsn] = connection
    return found


async def close() -> None:
    """Called once, when all tests are done."""
    while _open:
        _, connection = _open.popitem()
        await connection.close()
