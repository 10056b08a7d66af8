"""What approving does: in the transaction that decides, so that it is done once or not at all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.errors import Refused
from loyalty.plugin import Connection
from loyalty_tenants.configs import Configs
from loyalty_tenants.desk import approvals, bulk
from loyalty_tenants.desk.approvals import Approval, ApprovalKind
from loyalty_tenants.desk.policy import policy_of, store
from loyalty_tenants.principal import Actor
from loyalty_tenants.publishing import publish_program, roll_back_program

CORRECTIONS = (ApprovalKind.ADJUSTMENT, ApprovalKind.BULK_ADJUSTMENT)


class CannotBeDone(Exception):
    """It was approved, and what it asks for is refused: the transaction must not commit."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(str(refused))
        self.refused = refused


async def decide(
    connection: Connection,
    configs: Configs,
    by: Actor,
    client: str,
    approval_id: UUID,
    *,
    approve: bool,
    note: str,
    now: datetime,
) -> Approval:
    """Decide what waits, and do what was approved. Corrections are begun: `settling` does them.

    :raises Refused: as `approvals.decide`
    :raises CannotBeDone: what was asked for cannot be done any more
    """
    approval = await approvals.decide(
        connection, by, client, approval_id, approve=approve, note=note, now=now
    )
    if approval.kind in CORRECTIONS:
        bulk_id = UUID(approval.body["bulk"])
        await (
            bulk.begin(connection, bulk_id, now) if approve else bulk.cancel(connection, bulk_id)
        )
    elif approve and approval.kind is ApprovalKind.POLICY:
        await store(connection, by, policy_of(approval.body), now=now)
    elif approve:
        try:
            await _publish(connection, configs, by, approval.body, now)
        except Refused as refused:
            raise CannotBeDone(refused) from None
    return approval


async def _publish(
    connection: Connection, configs: Configs, by: Actor, body: Mapping[str, Any], now: datetime
) -> None:
    """Just what was asked for: a draft that changed since is another one."""
    begins = body["effectiveFrom"] and datetime.fromisoformat(body["effectiveFrom"])
    program_id, expected = UUID(body["program"]), body["expectedVersion"]
    if body["number"] is None:
        await publish_program(
            connection, configs, by, program_id,
            expected_version=expected, effective_from=begins, now=now,
        )  # fmt: skip
    else:
        await roll_back_program(
            connection, configs, by, program_id,
            expected_version=expected, number=body["number"], effective_from=begins, now=now,
        )  # fmt: skip
