"""Brands of other installations as admins meet them, and what is seen of them."""

from datetime import datetime

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id
from loyalty_graphql.outcomes import attempted
from loyalty_partners.graphql import meeting
from loyalty_partners.graphql.enums import PeerStatus
from loyalty_partners.graphql.meeting import PEER
from loyalty_tenants import peers
from loyalty_tenants.peers import Peer
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class RemotePartner:
    """A brand of another installation that we work with."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    name: str
    """What we call it; agreements name it so."""
    url: str
    """Where its API is."""
    tenant: str
    """Its slug there."""
    status: PeerStatus
    """Whether both sides have accepted."""
    since: datetime
    """When we entered it."""
    secret_waits: bool
    """Whether a new secret was handed out or entered that is not in force on both sides yet."""
    previous_secret_until: datetime | None
    """Until when calls signed with the secret before this one are heard; null: there was none."""


@strawberry.input
class ConnectRemotePartnerInput:
    """A brand of another installation."""

    name: str
    """What we call it: 2 to 40 of a-z, 0-9 and -. One that is there gets the address given."""
    url: str
    """Where its API is, such as https://loyalty.hotel.example/graphql."""
    tenant: str
    """Its slug there."""
    invitation: str | None = None
    """What its admin was given; null: we invite it, and its admin enters what we are given."""


@strawberry.input
class EndRemotePartnerInput:
    """Which brand."""

    partner: strawberry.ID
    """Of the brand."""


@strawberry.input
class RotateRemotePartnerInput:
    """Which brand."""

    partner: strawberry.ID
    """Of the brand."""


@strawberry.input
class GreetPartnerInput:
    """The first word of a brand that was invited."""

    tenant: str
    """Its slug there, as it was entered here."""


@strawberry.type
@reached
class RemotePartnerPayload:
    """A brand of another installation after what was asked."""

    partner: RemotePartner | None
    """As it is now; null where nothing was done."""
    invitation: str | None
    """Hand it to the other brand's admin, in private: calls are signed with what it holds. Shown
    this once; null where we were invited."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class GreetingPayload:
    """How we stand with a brand that greets."""

    status: PeerStatus | None
    """Null where it is not the one that was invited."""
    user_errors: list[UserError]
    """Why not; empty where it is."""


@strawberry.type
class PeerQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    async def remote_partners(self, info: RequestInfo) -> list[RemotePartner]:
        """Brands of other installations that we work with, by name."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await peers.peers_of(connection)
        return [shown_peer(peer) for peer in found]


@strawberry.type
class PeerMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def connect_remote_partner(
        self, info: RequestInfo, input: ConnectRemotePartnerInput
    ) -> RemotePartnerPayload:
        """Meet a brand of another installation: one side invites, the other enters the invitation.

        :param input: which brand, and where it is
        """
        done, refused = await attempted(
            meeting.connect(info.context, input.name, input.url, input.tenant, input.invitation)
        )
        peer, invitation = done or (None, None)
        info.context.written()
        return RemotePartnerPayload(
            partner=None if peer is None else shown_peer(peer), invitation=invitation,
            user_errors=user_errors(refused),
        )  # fmt: skip

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def rotate_remote_partner_secret(
        self, info: RequestInfo, input: RotateRemotePartnerInput
    ) -> RemotePartnerPayload:
        """Make a new secret for calls between the two. Both go on under the old one until the other
        brand's admin has entered the invitation; one that was made before and not entered is void.

        :param input: with which brand
        """
        done, refused = await attempted(meeting.rotate(info.context, input.partner))
        peer, invitation = done or (None, None)
        return RemotePartnerPayload(
            partner=None if peer is None else shown_peer(peer), invitation=invitation,
            user_errors=user_errors(refused),
        )  # fmt: skip

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def end_remote_partner(
        self, info: RequestInfo, input: EndRemotePartnerInput
    ) -> RemotePartnerPayload:
        """Work no more with a brand of another installation; its agreements have ended before.

        :param input: which one
        """
        done, refused = await attempted(meeting.end(info.context, input.partner))
        return RemotePartnerPayload(
            partner=None if done is None else shown_peer(done),
            invitation=None,
            user_errors=user_errors(refused),
        )

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    async def greet_partner(self, info: RequestInfo, input: GreetPartnerInput) -> GreetingPayload:
        """A brand that we invited has entered the invitation: both sides have accepted.

        :param input: who it is
        """
        done, refused = await attempted(meeting.greeted(info.context, input.tenant))
        return GreetingPayload(status=done, user_errors=user_errors(refused))


def shown_peer(peer: Peer) -> RemotePartner:
    return RemotePartner(
        id=node_id(PEER, peer.id), name=peer.name, url=peer.url, tenant=peer.remote,
        status=peer.status, since=peer.created_at, secret_waits=peer.next_secret is not None,
        previous_secret_until=peer.old_until,
    )  # fmt: skip
