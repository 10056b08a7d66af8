"""What can be watched."""

from collections.abc import AsyncGenerator
from uuid import UUID

import orjson
import strawberry

from loyalty.cache.hub import member_channel
from loyalty.errors import Code, Refused
from loyalty_graphql.access import allow, reached
from loyalty_graphql.balances import Balance, shown_balance
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.units import unit_of
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class BalanceChange:
    """A balance that moved, and what moved it."""

    balance: Balance
    """The balance after it."""
    cause: str | None
    """The kind of fact or command behind it, such as `PurchaseRecorded`."""
    cause_id: strawberry.ID
    """Id of that fact."""


@strawberry.type
class BalanceSubscription:
    @strawberry.subscription
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def balance_changed(
        self, info: RequestInfo, member: MemberRef, unit: str | None = None
    ) -> AsyncGenerator[BalanceChange, None]:
        """A member's balances as they move. Several moves may arrive as one: the newest counts.

        :param member: whose; a member may only watch themselves
        :param unit: only this unit; default: every unit
        """
        context = info.context
        ref = await context.own(member_ref(member))
        found = await context.loaders.member.load(ref)
        if found is None:
            raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
        if unit is not None:
            unit_of(await context.setup(), unit)
        channel = member_channel(found.id)
        async with context.api.hints.subscribe(context.tenant_id, channel) as hints:
            async for hint in hints:
                told = orjson.loads(hint)
                if unit is None or told["unit"] == unit:
                    yield await _change(context, found.id, told)


async def _change(context: Context, member_id: UUID, told: dict[str, object]) -> BalanceChange:
    """Read the balance of at least the version that was told, and what caused it."""
    code, version = str(told["unit"]), int(str(told["version"]))
    fact_id = UUID(str(told["fact"]))
    key = (member_id, code, version)
    held = await context.loaders.holding.load(key)
    context.loaders.holding.clear(key)
    fact = await context.loaders.fact.load(fact_id)
    unit = unit_of(await context.setup(), code)
    return BalanceChange(
        balance=shown_balance(unit, held, context.api.clock.now()),
        cause=fact.kind if fact else None,
        cause_id=node_id("Fact", fact_id),
    )
