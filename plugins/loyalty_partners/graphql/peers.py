"""Brands of other installations: how two of them meet, and what admins see of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_partners.graphql.agreeing import gone
from loyalty_partners.graphql.enums import PeerStatus
from loyalty_partners.remote.telling import GREET, ask
from loyalty_tenants import peers
from loyalty_tenants.peers import Peer
from loyalty_tenants.principal import Role

PEER = "RemotePartner"
_BOUND = """
select exists (select from loyalty.partners_agreement
    where tenant_id = (select loyalty.tenant()) and peer_id = $1 and state <> 'ENDED')
  or exists (select from loyalty.partners_leg
    where tenant_id = (select loyalty.tenant()) and peer_id = $1 and due_at is not null)
"""


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
        done, refused = await attempted(_connect(info.context, input))
        peer, invitation = done or (None, None)
        info.context.written()
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
        done, refused = await attempted(_end(info.context, input))
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
        done, refused = await attempted(_greeted(info.context, input))
        return GreetingPayload(status=done, user_errors=user_errors(refused))


def shown_peer(peer: Peer) -> RemotePartner:
    return RemotePartner(
        id=node_id(PEER, peer.id), name=peer.name, url=peer.url, tenant=peer.remote,
        status=peer.status, since=peer.created_at,
    )  # fmt: skip


async def _connect(context: Context, given: ConnectRemotePartnerInput) -> tuple[Peer, str | None]:
    try:
        context.api.way.check(given.url)
    except ValueError as error:
        raise texts.bad("url", f"cannot be called from here: {error}") from None
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        known = [one for one in await peers.peers_of(connection) if one.name == given.name]
    if given.invitation is not None:
        return await _accept(context, given, known[0] if known else None), None
    if known:
        return await _moved(context, known[0], given.url), None
    peer = _peer(context, given, new_id(), peers.new_secret(), asked=True)
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.add_peer(connection, context.actor, peer, now=peer.created_at)
    context.api.forget(context.tenant_id)
    return peer, peers.invitation(peer.id, peer.secret)


async def _accept(context: Context, given: ConnectRemotePartnerInput, known: Peer | None) -> Peer:
    """Enter an invitation, and greet whoever gave it. Asked again it greets again."""
    ident, secret = peers.read_invitation(given.invitation or "")
    now, setup = context.api.clock.now(), await context.setup()
    async with context.api.database.tenant(context.tenant_id) as connection:
        if known is None or known.id != ident:
            peer = _peer(context, given, ident, secret, asked=False)
            await peers.add_peer(connection, context.actor, peer, now=now)
        else:
            peer = known
        await ask(context, peer, GREET, {"tenant": setup.slug})
        await peers.change_peer(
            connection, context.actor, ident, status=peers.PeerStatus.ACTIVE, now=now
        )
    context.api.forget(context.tenant_id)
    return await _read(context, ident)


async def _greeted(context: Context, given: GreetPartnerInput) -> peers.PeerStatus:
    ident, now = context.who.peer, context.api.clock.now()
    if ident is None:
        raise gone("partner")
    peer = await _read(context, ident)
    if peer.remote != given.tenant:
        raise Refused(Code.NOT_FOUND, "another brand was invited by this", field="tenant")
    if peer.status is peers.PeerStatus.WAITING and peer.asked:
        async with context.api.database.tenant(context.tenant_id) as connection:
            await peers.change_peer(
                connection, context.actor, ident, status=peers.PeerStatus.ACTIVE, now=now
            )
        context.api.forget(context.tenant_id)
    return peers.PeerStatus.ACTIVE


async def _moved(context: Context, peer: Peer, url: str) -> Peer:
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.change_peer(
            connection, context.actor, peer.id, url=url, now=context.api.clock.now()
        )
    context.api.forget(context.tenant_id)
    return await _read(context, peer.id)


async def _end(context: Context, given: EndRemotePartnerInput) -> Peer:
    ident = uuid_of(given.partner, PEER, field="partner")
    peer = await _read(context, ident)
    async with context.api.database.tenant(context.tenant_id) as connection:
        if await connection.fetchval(_BOUND, ident):
            raise Refused(
                Code.AGREEMENT_STATE, "has agreements that are not ended, or exchanges under way",
                field="partner",
            )  # fmt: skip
        await peers.change_peer(
            connection, context.actor, ident, status=peers.PeerStatus.ENDED,
            now=context.api.clock.now(),
        )  # fmt: skip
    context.api.forget(context.tenant_id)
    return Peer(**{**_fields(peer), "status": peers.PeerStatus.ENDED})


def _fields(peer: Peer) -> dict[str, Any]:
    return {name: getattr(peer, name) for name in Peer.__dataclass_fields__}


async def _read(context: Context, ident: UUID) -> Peer:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await peers.peer_by_id(connection, ident)
    if found is None:
        raise gone("partner")
    return found


def _peer(
    context: Context, given: ConnectRemotePartnerInput, ident: UUID, secret: bytes, *, asked: bool
) -> Peer:
    return Peer(
        id=ident, name=given.name, url=given.url, remote=given.tenant, asked=asked, secret=secret,
        status=peers.PeerStatus.WAITING, created_at=context.api.clock.now(),
    )  # fmt: skip
