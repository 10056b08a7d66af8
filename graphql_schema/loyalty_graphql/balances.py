"""What members have: balances, their deadlines, and statements."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from loyalty.cache.cached_balance import CachedBalance, OpenLot, balance_at
from loyalty.effects import AT_ACTIVATION
from loyalty.ledger.statement import Entry
from loyalty.units import Unit, format_minor
from loyalty.view import BalanceView
from loyalty_graphql.access import allow, reached
from loyalty_graphql.activities import Activity, visible_activity
from loyalty_graphql.ahead import soon
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.decisions import Decision
from loyalty_graphql.explanations import decisions_of
from loyalty_graphql.purchases import Purchase, PurchaseReturn, shown_return, visible_purchase
from loyalty_graphql.scalars import Decimal
from loyalty_tenants.principal import Role

DEADLINES_MAX = 12


@strawberry.type
@reached
class Deadline:
    """An amount that ends, or begins to be spendable, at one instant."""

    at: datetime | None
    """The instant; null for the amount that has none, or that the list is too short for."""
    amount: Decimal
    """How much of the balance it concerns."""


@strawberry.type
@reached
class Balance:
    """What a member has of one unit."""

    unit: str
    """Code of the unit."""
    available: Decimal
    """Spendable now: open lots that are available and not past their term, less what is held."""
    pending: Decimal
    """Granted, but not spendable before a later instant."""
    version: str
    """Grows with every change of the balance; pass it as `minVersion` to read at least this one."""
    as_of: datetime
    """The instant the amounts are true for."""
    view: strawberry.Private[BalanceView]
    lots: strawberry.Private[Sequence[OpenLot]]
    of: strawberry.Private[Unit]

    # Worked out where they are asked for: a page of members seldom does.

    @strawberry.field
    def held(self) -> Decimal:
        """Reserved by open redemptions."""
        return Decimal(format_minor(self.view.held, self.of.places))

    @strawberry.field
    def deficit(self) -> Decimal:
        """Owed: taken back after it was spent. The next grants repay it first."""
        return Decimal(format_minor(self.view.deficit, self.of.places))

    @strawberry.field
    def expiries(self) -> list[Deadline]:
        """When what is available or pending ends, soonest first; the parts sum to it. At most 12
        instants are named, the rest is summed under a last one without an instant."""
        return _deadlines([(lot.expires_at, lot.remaining) for lot in self.lots], self.of)

    @strawberry.field
    def activations(self) -> list[Deadline]:
        """When what is pending becomes spendable, soonest first; bounded in the same way. What
        waits for its activation has no instant."""
        pending = [
            (None if lot.available_at == AT_ACTIVATION else lot.available_at, lot.remaining)
            for lot in self.lots
            if lot.available_at > self.as_of
        ]
        return _deadlines(pending, self.of)


@strawberry.type
@reached
class StatementEntry:
    """One movement of a member's unit."""

    entry: strawberry.Private[Entry]
    of: strawberry.Private[Unit]

    # A page of members has hundreds of them: made by position, which takes half the time, and each
    # shown as far as it is asked for.

    def __init__(self, entry: Entry, of: Unit) -> None:
        self.entry, self.of = entry, of

    @strawberry.field
    def version(self) -> str:
        """Its place in the order in which movements were recorded."""
        return str(self.entry.version)

    @strawberry.field
    def kind(self) -> str:
        """GRANT, BURN, HOLD, RELEASE, REVERSE, EXPIRE, TAKE_BACK or ADJUST."""
        return self.entry.kind

    @strawberry.field
    def amount(self) -> Decimal:
        """What came in; negative for what went out."""
        return Decimal(format_minor(self.entry.amount, self.of.places))

    @strawberry.field
    def balance_after(self) -> Decimal:
        """Everything open after it, pending parts included; negative where the member owes."""
        return Decimal(format_minor(self.entry.balance_after, self.of.places))

    @strawberry.field
    def label(self) -> str | None:
        """What members read beside it."""
        return self.entry.label

    @strawberry.field
    def rule(self) -> str | None:
        """The rule behind it, as `<program>/<rule>`."""
        return self.entry.rule

    @strawberry.field
    def cause(self, info: RequestInfo) -> str:
        """The kind of fact or command that caused it, such as `PurchaseRecorded`."""
        return soon(info.context.loaders.cause.load(self.entry.fact_id), str)

    @strawberry.field
    def occurred_at(self) -> datetime:
        """When it happened."""
        return self.entry.occurred_at

    @strawberry.field
    def recorded_at(self) -> datetime:
        """When it was written down."""
        return self.entry.recorded_at

    @strawberry.field
    def late(self) -> bool:
        """Whether it happened before the movement that was recorded ahead of it."""
        return self.entry.late

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    @allow(Role.MEMBER, scope="self:read")
    async def purchase(self, info: RequestInfo) -> Purchase | None:
        """The purchase that it is for, or that it takes something back of; null where it is
        neither."""
        fact = await info.context.loaders.fact.load(self.entry.fact_id)
        if fact is not None and fact.kind == "PurchaseReversed" and fact.cause_id is not None:
            fact = await info.context.loaders.fact.load(fact.cause_id)
        return await visible_purchase(info, fact)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    @allow(Role.MEMBER, scope="self:read")
    async def purchase_return(self, info: RequestInfo) -> PurchaseReturn | None:
        """The return that took it back; null where none did."""
        fact = await info.context.loaders.fact.load(self.entry.fact_id)
        if fact is None or fact.kind != "PurchaseReversed":
            return None
        return shown_return(fact.id, fact.payload, fact.answer, await info.context.setup())

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="activities:read")
    @allow(Role.MEMBER, scope="self:read")
    async def activity(self, info: RequestInfo) -> Activity | None:
        """The activity that it is for; null where it is for none."""
        fact = await info.context.loaders.fact.load(self.entry.fact_id)
        return await visible_activity(info, fact)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decisions(self, info: RequestInfo) -> list[Decision]:
        """What the rule behind it said, with how it came to the amount; empty where no rule granted
        it."""
        rule = self.entry.rule
        if rule is None:
            return []
        found = await decisions_of(info.context, self.entry.fact_id)
        return [one for one in found if f"{one.program}/{one.rule}" == rule]


def shown_balance(unit: Unit, held: CachedBalance, at: datetime) -> Balance:
    """A balance judged at an instant, from its open lots."""
    open_lots = [lot for lot in held.lots if lot.expires_at is None or lot.expires_at > at]
    return shown(unit, balance_at(held, at), held.version, open_lots, at)


def shown(
    unit: Unit, view: BalanceView, version: int, lots: Sequence[OpenLot], at: datetime
) -> Balance:
    """A balance with the deadlines of the lots that are open at its instant."""
    return Balance(
        unit=unit.code,
        available=Decimal(format_minor(view.available, unit.places)),
        pending=Decimal(format_minor(view.pending, unit.places)),
        version=str(version),
        as_of=at,
        view=view,
        lots=lots,
        of=unit,
    )


def _deadlines(parts: Sequence[tuple[datetime | None, int]], unit: Unit) -> list[Deadline]:
    """Amounts by instant, soonest first, the many later ones as one."""
    sums: dict[datetime | None, int] = {}
    for at, amount in parts:
        sums[at] = sums.get(at, 0) + amount
    endless = sums.pop(None, 0)
    dated = sorted((at, amount) for at, amount in sums.items() if at is not None)
    rest = sum(amount for _, amount in dated[DEADLINES_MAX:]) + endless
    named: list[tuple[datetime | None, int]] = [*dated[:DEADLINES_MAX]]
    if rest:
        named.append((None, rest))
    return [
        Deadline(at=at, amount=Decimal(format_minor(amount, unit.places))) for at, amount in named
    ]
