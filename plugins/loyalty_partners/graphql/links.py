"""Links between a member's accounts at two brands, as members make and see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty.plugin import Connection
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_partners.graphql import linking
from loyalty_partners.graphql.agreements import NODE, agreement_key
from loyalty_tenants.principal import Role

LINK = "PartnerLink"
NO_LINKS: Sequence[Any] = ()


@strawberry.type
@reached
class PartnerLink:
    """A member's account here and one at a partner, known to be the same person's."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    agreement: strawberry.ID
    """Id of the agreement under which points may move."""
    partner: str
    """The partner, as the agreement names it."""
    unit: str | None
    """Code of our unit."""
    partner_unit: str | None
    """Code of the partner's unit."""
    since: datetime
    """When it was made."""


@strawberry.input
class IssueLinkCodeInput:
    """For whom, and with whom."""

    agreement: strawberry.ID
    """Of the agreement with the partner."""
    member: MemberRef
    """Whose account here."""


@strawberry.input
class RedeemLinkCodeInput:
    """A code that the partner issued."""

    agreement: strawberry.ID
    """Of the agreement with the partner."""
    member: MemberRef
    """Whose account here."""
    code: str
    """As the partner showed it."""


@strawberry.input
class EndPartnerLinkInput:
    """Which link."""

    link: strawberry.ID
    """Of the link."""


@strawberry.type
@reached
class LinkCodePayload:
    """A new code."""

    code: str | None
    """To be typed in at the partner; shown this once. Null where nothing was done."""
    expires_at: datetime | None
    """Until when it can be redeemed."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class PartnerLinkPayload:
    """Whether it was done."""

    link: strawberry.ID | None
    """Id of the link; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.field
async def partner_links(root: strawberry.Parent[Member], info: RequestInfo) -> list[PartnerLink]:
    """The partners at which this person's account is linked, oldest first."""
    rows = await info.context.loaders.of(links_of, NO_LINKS).load(root.key)
    return [
        PartnerLink(
            id=node_id(LINK, row["id"]), agreement=node_id(NODE, row["agreement_id"]),
            partner=row["partner"], unit=row["unit"], partner_unit=row["partner_unit"],
            since=row["created_at"],
        )
        for row in rows
    ]  # fmt: skip


@strawberry.type
class LinkMutation:
    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:write")
    async def issue_link_code(
        self, info: RequestInfo, input: IssueLinkCodeInput
    ) -> LinkCodePayload:
        """A code that proves at the partner that the account here is the member's. It replaces the
        one before.

        :param input: for whom, and with whom
        """
        done, refused = await attempted(_issued(info.context, input))
        code, until = done or (None, None)
        return LinkCodePayload(code=code, expires_at=until, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:write")
    async def redeem_link_code(
        self, info: RequestInfo, input: RedeemLinkCodeInput
    ) -> PartnerLinkPayload:
        """Link the member's account here with the one at the partner whose code it is.

        :param input: whose account, and the code
        """
        return await _told(_redeemed(info.context, input))

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:write")
    @allow(Role.PARTNER, scope="partner:remote")
    async def end_partner_link(
        self, info: RequestInfo, input: EndPartnerLinkInput
    ) -> PartnerLinkPayload:
        """End a link on both sides. What moved stays where it is.

        :param input: which link
        """
        return await _told(_ended(info.context, input))


async def _told(doing: Any) -> PartnerLinkPayload:
    done, refused = await attempted(doing)
    link = None if done is None else node_id(LINK, done)
    return PartnerLinkPayload(link=link, user_errors=user_errors(refused))


async def _issued(context: Context, given: IssueLinkCodeInput) -> tuple[str, datetime]:
    ref = await context.own(member_ref(given.member))
    return await linking.issue_code(context, agreement_key(given.agreement), ref)


async def _redeemed(context: Context, given: RedeemLinkCodeInput) -> UUID:
    ref = await context.own(member_ref(given.member))
    code = texts.words(given.code, field="code", longest=60)
    agreement = agreement_key(given.agreement)
    link, _ = await linking.redeem_code(context, agreement, code, ref)
    context.written()
    return link


async def _ended(context: Context, given: EndPartnerLinkInput) -> UUID:
    link = uuid_of(given.link, LINK, field="link")
    own = Ref(external_id=context.who.subject) if context.is_member else None
    await linking.end_link(context, link, own)
    context.written()
    return link


async def links_of(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """The links in force of each of these members."""
    rows = await connection.fetch(
        """select l.member_id, l.id, l.agreement_id, l.created_at, a.partner, a.unit,
                  a.partner_unit
             from unnest($1::uuid[]) m (id)
             join loyalty.partners_link l on l.tenant_id = (select loyalty.tenant())
              and l.member_id = m.id and l.state = 'ACTIVE'
             join loyalty.partners_agreement a
               on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
            order by l.id""",
        list(members),
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(row)
    return found
