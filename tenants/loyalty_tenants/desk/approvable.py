"""Publishing under the two-person rule: asked for here, done by who approves it."""

from datetime import datetime
from uuid import UUID

from loyalty.days import iso
from loyalty.plugin import Connection
from loyalty_tenants.configs import Configs
from loyalty_tenants.desk import approvals
from loyalty_tenants.desk.approvals import Approval, ApprovalKind
from loyalty_tenants.desk.policy import policy
from loyalty_tenants.principal import Actor
from loyalty_tenants.programs import expected
from loyalty_tenants.unit_keys import check_units


async def ask(
    connection: Connection,
    configs: Configs,
    by: Actor,
    client: str,
    program_id: UUID,
    *,
    expected_version: int,
    number: int | None,
    effective_from: datetime | None,
    now: datetime,
) -> Approval | None:
    """Let the draft (or the version `number`) wait for a second person; None where none is wanted.

    What could not be published now is refused now.

    :raises Refused: NOT_FOUND, VERSION_CONFLICT, PROGRAM_NOT_ACTIVE, BAD_CONFIG
    """
    rule = await policy(connection)
    if not rule.publishing:
        return None
    program = await expected(connection, program_id, expected_version)
    if number is None:
        await check_units(connection, configs.check_draft(program.kind, program.config))
    return await approvals.ask(
        connection, by, client,
        kind=ApprovalKind.PUBLICATION,
        subject=f"program:{program.slug}",
        body={
            "program": str(program_id), "expectedVersion": expected_version, "number": number,
            "effectiveFrom": iso(effective_from),
        },
        lifetime=rule.lifetime,
        now=now,
    )  # fmt: skip
