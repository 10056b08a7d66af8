"""Points that wait until they are activated."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.effects import AT_ACTIVATION
from loyalty.ids import public_id
from loyalty.owners import Holder
from loyalty.plugin import Connection
from loyalty.settlement.request import Recorded, moved
from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.balances import Balance, shown_balance
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_points.commands import ActivatePoints
from loyalty_points.facts import PointsActivated
from loyalty_points.graphql.programs import named
from loyalty_tenants.principal import Role

NONE: Sequence[Any] = ()
_WAITING = """
select a.owner_id, l.id, a.unit, l.rule, l.remaining, l.occurred_at, l.expires_at
  from unnest($1::uuid[]) m (id) cross join lateral (
    select a.* from loyalty.account a
     where a.owner_id = m.id and a.owner_kind = 'MEMBER' and a.kind = 'main' and a.stored) a
  cross join lateral (
    select l.* from loyalty.lot l where l.tenant_id = a.tenant_id and l.account_id = a.id
       and l.remaining > 0 and l.available_at = $2) l
 order by l.occurred_at, l.id
"""
_EMITTED = "select body -> 'emitted' from loyalty.decision where fact_id = $1"


@strawberry.type
@reached
class AwaitingActivation:
    """Points of one purchase or activity that wait until they are activated."""

    lot: strawberry.ID
    """What to name in `activatePoints` to activate just these."""
    program: str
    """Slug of the program."""
    rule: str
    """Id of the rule that granted them."""
    unit: str
    """Code of the unit."""
    amount: Decimal
    """How much of it is left."""
    earned_at: datetime
    """When they were earned."""
    expires_at: datetime | None
    """When they end, activated or not; null: never, or their time begins with the activation."""


@strawberry.input
class ActivatePointsInput:
    """Whose points to activate, and which."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program that granted them."""
    idempotency_key: str
    """A new UUID for each activation; sent again it gives the first answer."""
    rule: str | None = None
    """Only those of this rule; null: of any."""
    lot: strawberry.ID | None = None
    """Only these, as `awaitingActivation` names them; null: all."""


@strawberry.type
@reached
class ActivatedAmount:
    """What became usable of one unit."""

    unit: str
    """Code of the unit."""
    amount: Decimal
    """How much."""


@strawberry.type
@reached
class ActivatePointsPayload:
    """What was activated."""

    activated: list[ActivatedAmount]
    """What became usable; empty where nothing waited any more."""
    balances: list[Balance]
    """The member's balances of these units as they are now."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ActivationMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:write")
    @money
    async def activate_points(
        self, info: RequestInfo, input: ActivatePointsInput
    ) -> ActivatePointsPayload:
        """Make points usable that wait for it. What is usable already stays as it is.

        :param input: whose and which
        """
        context = info.context
        done, refused = await attempted(_activated(context, input))
        if done is None:
            return ActivatePointsPayload(
                activated=[], balances=[], replayed=False, user_errors=user_errors(refused)
            )
        activated = await _emitted(context, done)
        return ActivatePointsPayload(
            activated=activated,
            balances=[await _balance(context, key) for key in moved(done.answer)],
            replayed=done.replayed,
            user_errors=[],
        )


@strawberry.field
async def awaiting_activation(
    root: strawberry.Parent[Member], info: RequestInfo
) -> list[AwaitingActivation]:
    """Points that can be used only once they are activated, the oldest first."""
    setup, now = await info.context.setup(), info.context.api.clock.now()
    rows = await info.context.loaders.of(waiting, NONE).load(root.key)
    return [
        _shown(row, setup) for row in rows if row["expires_at"] is None or row["expires_at"] > now
    ]


async def waiting(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """The open lots of each of these members that wait for their activation."""
    found: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(_WAITING, list(members), AT_ACTIVATION):
        found.setdefault(row["owner_id"], []).append(row)
    return found


def _shown(row: Any, setup: Setup) -> AwaitingActivation:
    program, _, rule = row["rule"].partition("/")
    return AwaitingActivation(
        lot=strawberry.ID(public_id("Lot", row["id"])),
        program=program,
        rule=rule,
        unit=row["unit"],
        amount=Decimal(format_minor(row["remaining"], setup.places(row["unit"]) or 0)),
        earned_at=row["occurred_at"],
        expires_at=row["expires_at"],
    )


async def _balance(context: Context, key: tuple[Holder, str, int]) -> Balance:
    unit = unit_of(await context.setup(), key[1])
    held = await context.loaders.holding.load(key)
    return shown_balance(unit, held, context.api.clock.now())


async def _activated(context: Context, given: ActivatePointsInput) -> Recorded:
    _, program, _ = await named(context, given.program)
    command = ActivatePoints(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        rule=given.rule,
        lot=None if given.lot is None else uuid_of(given.lot, "Lot", field="lot"),
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))


async def _emitted(context: Context, done: Recorded) -> list[ActivatedAmount]:
    """What the first answer said, as its decision keeps it."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        emitted = await connection.fetchval(_EMITTED, done.fact_id)
    return [
        ActivatedAmount(unit=one["payload"]["unit"], amount=Decimal(one["payload"]["amount"]))
        for one in emitted or ()
        if one["kind"] == PointsActivated.KIND
    ]
