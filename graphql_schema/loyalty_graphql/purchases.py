"""Purchases: what members bought, what they earned for it, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from loyalty import journal
from loyalty.facts import MemberRef as Ref
from loyalty.journal import JournalFact
from loyalty.settlement.request import moved
from loyalty.setup import Setup
from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.decisions import Decision, DecisionInputs, shown_inputs
from loyalty_graphql.explanations import decisions_of
from loyalty_graphql.ids import node_id
from loyalty_graphql.nodes import Node
from loyalty_graphql.scalars import Decimal, parse_instant
from loyalty_tenants.principal import Role

if TYPE_CHECKING:
    from loyalty_graphql.members import Member


@strawberry.type
@reached
class Earned:
    """Something that a member was given."""

    unit: str
    """Code of the unit."""
    amount: Decimal
    """How much."""
    label: str
    """What to show beside it."""
    available_at: datetime
    """From when it can be spent; 9999-12-31 where it has to be activated first."""
    expires_at: datetime | None
    """When it ends; null: never."""


@strawberry.type
@reached
class TakenBack:
    """Something that was taken back of what a purchase had granted."""

    unit: str
    """Code of the unit."""
    amount: Decimal
    """How much, including what the member now owes."""
    rule: str
    """The rule that had granted it, as `<program>/<rule>`."""


@strawberry.type
@reached
class UnitVersion:
    """A balance that moved."""

    unit: str
    """Code of the unit."""
    version: str
    """Its new version; pass it as `minVersion` to read at least this one."""


@strawberry.type
@reached
class Purchase(Node):
    """A purchase as it was recorded."""

    source: str
    """The system it came from."""
    external_id: str
    """Its id there."""
    revision: int
    """1, or higher for a correction that stands in place of the one before."""
    occurred_at: datetime
    """When it was paid."""
    currency: str
    """ISO 4217."""
    total: Decimal
    """What was paid."""
    earned: list[Earned]
    """What the member was given for it, each for its own reason."""
    taken_back: list[TakenBack]
    """Of a correction: what it took back of what the revision before it had granted."""
    versions: list[UnitVersion]
    """The balances that it moved."""
    member_id: strawberry.Private[UUID]
    key: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def member(
        self, info: RequestInfo
    ) -> Annotated["Member", strawberry.lazy("loyalty_graphql.members")] | None:
        """Who bought."""
        from loyalty_graphql.members import shown_member

        found = await info.context.loaders.member.load(Ref(id=self.member_id))
        return None if found is None else shown_member(found)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decisions(self, info: RequestInfo) -> list[Decision]:
        """Why: every rule that fired, with what it wanted, what it granted and what cut it; then
        every other rule of the programs in force, with what kept it from firing."""
        return await decisions_of(info.context, self.key)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decision_inputs(self, info: RequestInfo) -> list[DecisionInputs]:
        """What its rules were judged by: the traits and counters that they read, by program. A
        program whose rules read none is not listed."""
        return shown_inputs(await info.context.loaders.decision.load(self.key))

    @strawberry.field
    async def returns(self, info: RequestInfo) -> list["PurchaseReturn"]:
        """What came back of it so far, oldest first."""
        setup = await info.context.setup()
        found = await info.context.loaders.returns.load(self.key)
        return [shown_return(fact.id, fact.payload, fact.answer, setup) for fact in found]


@strawberry.type
@reached
class PurchaseReturn:
    """Goods that came back."""

    id: strawberry.ID
    """Opaque and globally unique."""
    source: str
    """The system it came from."""
    return_id: str
    """Its id there."""
    purchase_external_id: str
    """The purchase it belongs to."""
    occurred_at: datetime
    """When it happened."""
    state: str
    """APPLIED; or PARKED: it waits for its purchase."""
    taken_back: list[TakenBack]
    """What the member lost by it."""
    versions: list[UnitVersion]
    """The balances that it moved."""


def shown_purchase(
    ident: UUID,
    member_id: UUID,
    payload: Mapping[str, Any],
    answer: Mapping[str, Any],
    setup: Setup,
) -> Purchase:
    """A purchase from its payload and its first answer."""
    return Purchase(
        id=node_id("Purchase", ident),
        source=payload["source"],
        external_id=payload["external_id"],
        revision=payload["revision"],
        # a correction happened when its purchase did, whatever was sent
        occurred_at=parse_instant(answer.get("occurredAt") or payload["occurred_at"]),
        currency=payload["currency"],
        total=Decimal(format_minor(payload["total"], currency_places(payload["currency"]) or 0)),
        earned=shown_earned(answer, setup),
        taken_back=shown_taken_back(answer, setup),
        versions=shown_versions(answer),
        member_id=member_id,
        key=ident,
    )


def shown_return(
    ident: UUID, payload: Mapping[str, Any], answer: Mapping[str, Any], setup: Setup
) -> PurchaseReturn:
    return PurchaseReturn(
        id=node_id("Return", ident),
        source=payload["source"],
        return_id=payload["return_id"],
        purchase_external_id=payload["purchase_external_id"],
        occurred_at=parse_instant(payload["occurred_at"]),
        state=answer["state"],
        taken_back=shown_taken_back(answer, setup),
        versions=shown_versions(answer),
    )


def shown_taken_back(answer: Mapping[str, Any], setup: Setup) -> list[TakenBack]:
    return [
        TakenBack(
            unit=taken["unit"],
            amount=Decimal(format_minor(taken["amount"], setup.places(taken["unit"]) or 0)),
            rule=taken["rule"],
        )
        for taken in answer.get("takenBack", ())
    ]


def shown_earned(answer: Mapping[str, Any], setup: Setup) -> list[Earned]:
    return [
        Earned(
            unit=earned["unit"],
            amount=Decimal(format_minor(earned["amount"], setup.places(earned["unit"]) or 0)),
            label=earned["label"],
            available_at=parse_instant(earned["availableAt"]),
            expires_at=None if earned["expiresAt"] is None else parse_instant(earned["expiresAt"]),
        )
        for earned in answer.get("earned", ())
    ]


def shown_versions(answer: Mapping[str, Any]) -> list[UnitVersion]:
    """Of the members' own balances: nobody reads another owner's as theirs."""
    return [
        UnitVersion(unit=unit, version=str(version))
        for holder, unit, version in moved(answer)
        if isinstance(holder, UUID)
    ]


@strawberry.type
class PurchaseQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    @allow(Role.MEMBER, scope="self:read")
    async def purchase(
        self, info: RequestInfo, source: str, external_id: str, revision: int | None = None
    ) -> Purchase | None:
        """A purchase by the id of the system it came from; null where there is none.

        :param source: the system it came from
        :param external_id: its id there
        :param revision: which revision of it; none: the newest
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            fact = await journal.purchase(connection, source, external_id, revision)
        return await visible_purchase(info, fact)


async def visible_purchase(info: RequestInfo, fact: JournalFact | None) -> Purchase | None:
    """The purchase, if there is one and the caller may see it."""
    context = info.context
    if fact is None or fact.kind != "PurchaseRecorded" or fact.member_id is None:
        return None
    if context.is_member:
        own = await context.loaders.member.load(Ref(external_id=context.who.subject))
        if own is None or own.id != fact.member_id:
            return None
    setup = await context.setup()
    return shown_purchase(fact.id, fact.member_id, fact.payload, fact.answer, setup)
