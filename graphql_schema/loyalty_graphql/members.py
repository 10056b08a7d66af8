"""Members: the people in the tenant's programs."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import strawberry

from loyalty import members, redemptions
from loyalty.facts import MemberRef as Ref
from loyalty.journal import JournalFact, freezes_of
from loyalty.ledger.balances import balance_as_of
from loyalty.ledger.late import late_items
from loyalty.ledger.statement import Page as StatementPage
from loyalty.view import MemberView
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.ahead import soon
from loyalty_graphql.balances import Balance, StatementEntry, shown, shown_balance
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_graphql.late import LATE_MAX, LateItems, shown_late
from loyalty_graphql.member_page import MemberPage
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.nodes import Node
from loyalty_graphql.paging import Connection, Page, Paging
from loyalty_graphql.reads import Movements
from loyalty_graphql.redemptions import Redemption, shown_redemption
from loyalty_graphql.scalars import Json
from loyalty_graphql.units import unit_of
from loyalty_tenants.principal import Role

VERSION_MAX = 2**53
NOBODYS: JournalFact | None = None


@strawberry.type
@reached
class Freeze:
    """Why a member spends nothing."""

    since: datetime
    """When they were frozen."""
    reason: str
    """Why, as it was given."""
    by: str
    """Who did it."""


@strawberry.type
@reached
class Member(Node):
    """A person enrolled in the tenant's programs."""

    external_id: str
    """The tenant's own id of the member, unique in the tenant."""
    status: str
    """ACTIVE, FROZEN (earns and spends nothing) or CLOSED."""
    enrolled_at: datetime | None
    """When the membership began."""
    attributes: Json
    """What the tenant keeps about the member."""
    key: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    async def frozen(self, info: RequestInfo) -> Freeze | None:
        """Since when and why the member is frozen; null where they are not."""
        if self.status != "FROZEN":
            return None
        loader = info.context.loaders.of(freezes_of, NOBODYS)
        if (found := await loader.load(self.key)) is None:
            return None
        return Freeze(since=found.occurred_at, reason=found.payload["reason"], by=found.actor)

    @strawberry.field
    async def identifiers(self, info: RequestInfo) -> list[str]:
        """What the member may be named by besides, such as card numbers."""
        return list(await info.context.loaders.identifiers.load(self.key))

    @strawberry.field
    def balances(self, info: RequestInfo) -> list[Balance]:
        """What the member has now, of every unit of the tenant, by code."""
        context = info.context
        at = context.api.clock.now()
        return soon(
            context.loaders.holdings.load(self.key),
            lambda held: [shown_balance(unit, one, at) for unit, one in held],
        )

    @strawberry.field
    async def balance(
        self,
        info: RequestInfo,
        unit: str,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        min_version: str | None = None,
    ) -> Balance | None:
        """What the member has of a unit, now or at an earlier instant. Never null for a unit of
        the tenant; for another one it is, and an error says so.

        :param unit: code of the unit
        :param as_of: count what had happened by then; default: now
        :param known_at: count only what was recorded by then; default: everything
        :param min_version: at least this version, such as a mutation answered
        """
        setup, now = await info.context.setup(), info.context.api.clock.now()
        of = unit_of(setup, unit)
        if as_of is None and known_at is None:
            least = _version(min_version)
            held = await info.context.loaders.holding.load((self.key, unit, least))
            return shown_balance(of, held, now)
        api, at = info.context.api, as_of or now
        async with api.database.tenant(info.context.tenant_id, read_only=True) as connection:
            found = await balance_as_of(connection, self.key, unit, at=at, known_at=known_at or now)
        return shown(of, found.view, found.version, found.lots, at)

    @strawberry.field
    async def late_items(
        self, info: RequestInfo, unit: str, as_of: datetime, known_at: datetime | None = None
    ) -> LateItems | None:
        """What happened by an instant and was recorded after it was known: the balance `asOf` is
        the one with `knownAt` and these. Null for what is no unit of the tenant, and an error says
        so.

        :param unit: code of the unit
        :param as_of: what had happened by then
        :param known_at: what was recorded after then; default: after `asOf`
        """
        context = info.context
        of, now = unit_of(await context.setup(), unit), context.api.clock.now()
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await late_items(
                connection, self.key, unit, at=as_of, known_at=known_at or as_of, now=now,
                limit=LATE_MAX,
            )  # fmt: skip
        return shown_late(found, of)

    @strawberry.field
    def statement(
        self,
        info: RequestInfo,
        unit: str,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[StatementEntry] | None:
        """What moved a unit of the member, newest first, in the order in which it was recorded.
        Null for what is no unit of the tenant, and an error says so.

        :param unit: code of the unit
        :param first: how many, at most 100
        :param after: a cursor of this list
        """
        context, paging = info.context, info.context.api.paging
        field = f"Member.statement:{self.key}:{unit}"
        page = paging.page(context.tenant_id, field, first=first, after=after)
        before = int(page.beyond[0] or 0) if page.beyond else None
        wanted = StatementPage(holder=self.key, unit=unit, before=before, size=page.fetch)
        shown_page = partial(shown_statement, paging, page)
        return soon(context.loaders.statement.load(wanted), shown_page)

    @strawberry.field
    async def redemptions(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Redemption]:
        """The member's redemptions, newest first.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, setup = info.context, await info.context.setup()
        field = f"Member.redemptions:{self.key}"
        page = context.api.paging.page(
            context.tenant_id, field, first=first, after=after, last=last, before=before
        )
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await redemptions.page(
                connection,
                self.key,
                context.api.clock.now(),
                beyond=beyond(page.beyond),
                count=page.fetch,
                backward=page.backward,
            )
        return context.api.paging.connection(
            page,
            found,
            node=lambda view: shown_redemption(view, setup),
            position=lambda view: (str(view.id),),
        )


def shown_member(view: MemberView) -> Member:
    return Member(
        id=node_id("Member", view.id),
        external_id=view.external_id,
        status=view.status,
        enrolled_at=view.enrolled_at,
        attributes=Json(dict(view.attributes)),
        key=view.id,
    )


def shown_statement(paging: Paging, page: Page, found: Movements) -> Connection[StatementEntry]:
    of, entries = found
    return paging.connection(
        page,
        entries,
        node=lambda entry: StatementEntry(entry, of),
        position=lambda entry: (entry.version,),
    )


@strawberry.type
class MemberQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def member(self, info: RequestInfo, by: MemberRef) -> Member | None:
        """A member; null where the tenant has none by that name, or a member asks for another.

        :param by: names the member
        """
        ident = read_node_id(by.id) if isinstance(by.id, str) else None
        if isinstance(by.id, str) and (ident is None or ident[0] != "Member"):
            return None
        return await visible_member(info.context, member_ref(by, "by"))

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    async def members(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Member]:
        """The tenant's members in the order they were enrolled.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.members", first=first, after=after, last=last, before=before
        )
        wanted, setup = MemberPage(info), await context.setup()
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await members.page(
                connection, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
            )
            idents = [view.id for view in found[: page.size]]
            await wanted.read(connection, setup, idents)
        await wanted.load(idents)
        return context.api.paging.connection(
            page, found, node=shown_member, position=lambda view: (str(view.id),)
        )


async def visible_member(context: Context, ref: Ref) -> Member | None:
    """The member, if the caller may see them: a member sees only themselves."""
    found = await context.loaders.member.load(ref)
    if found is None or (context.is_member and found.external_id != context.who.subject):
        return None
    return shown_member(found)


def beyond(position: tuple[Any, ...] | None) -> UUID | None:
    """The id that a cursor of a list in the order of ids stands at."""
    return None if position is None else UUID(str(position[0]))


def _version(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) >= VERSION_MAX:
        raise texts.bad("minVersion", "pass a version as a balance or a mutation gave it")
    return int(text)
