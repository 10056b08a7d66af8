"""Members of a report by the names that their tenant gave them."""

from typing import Any
from uuid import UUID

from loyalty.backtest.report import Report
from loyalty.connection import Connection


async def name_members(connection: Connection, report: Report) -> None:
    """Write `externalId` beside each id."""
    shown: list[dict[str, Any]] = [
        member
        for unit in report["units"]
        for side in ("gain", "lose")
        for member in unit["members"][side]
    ]
    rows = await connection.fetch(
        "select id, external_id from loyalty.member where id = any($1)",
        [UUID(member["id"]) for member in shown],
    )
    names = {str(row["id"]): row["external_id"] for row in rows}
    for member in shown:
        member["externalId"] = names.get(member["id"], "")
