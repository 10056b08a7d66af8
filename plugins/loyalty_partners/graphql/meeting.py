"""How two installations meet, renew the secret between them, and part."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty_graphql import texts
from loyalty_graphql.context import Context
from loyalty_graphql.ids import uuid_of
from loyalty_partners.graphql.agreeing import gone
from loyalty_partners.remote.telling import GREET, ask
from loyalty_tenants import peer_calls, peers
from loyalty_tenants.peers import Peer, PeerStatus

PEER = "RemotePartner"
_BOUND = """
select exists (select from loyalty.partners_agreement
    where tenant_id = (select loyalty.tenant()) and peer_id = $1 and state <> 'ENDED')
  or exists (select from loyalty.partners_leg
    where tenant_id = (select loyalty.tenant()) and peer_id = $1 and due_at is not null
      and (state = 'PENDING' or reversal = 'TAKEN'))
"""
# What it need not be told any more: that we know it credited. Nor is it asked of what was written
# off, which is still listed.
_SAY_NO_MORE = """
update loyalty.partners_leg
   set due_at = case state when 'WRITTEN_OFF' then 'infinity'::timestamptz end
 where tenant_id = (select loyalty.tenant()) and peer_id = $1 and due_at is not null
"""


async def connect(
    context: Context, name: str, url: str, tenant: str, invitation: str | None
) -> tuple[Peer, str | None]:
    """Invite a brand, enter what it gave us, or change its address: it, and what it is invited by.

    :raises Refused: BAD_USER_INPUT, ALREADY_EXISTS, LIMIT_EXCEEDED, PARTNER_NOT_AVAILABLE
    """
    try:
        context.api.way.check(url)
    except ValueError as error:
        raise texts.bad("url", f"cannot be called from here: {error}") from None
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        known = [one for one in await peers.peers_of(connection) if one.name == name]
    now = context.api.clock.now()
    if invitation is not None:
        ident, secret = peers.read_invitation(invitation)
        peer = Peer(
            id=ident, name=name, url=url, remote=tenant, asked=False, secret=secret,
            status=PeerStatus.WAITING, created_at=now,
        )  # fmt: skip
        return await _accept(context, peer), None
    if known:
        return await _moved(context, known[0], url), None
    peer = Peer(
        id=new_id(), name=name, url=url, remote=tenant, asked=True, secret=peers.new_secret(),
        status=PeerStatus.WAITING, created_at=now,
    )  # fmt: skip
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.add_peer(connection, context.actor, peer, now=peer.created_at)
    context.api.forget(context.tenant_id)
    return peer, peers.invitation(peer.id, peer.secret)


async def _accept(context: Context, peer: Peer) -> Peer:
    """Enter an invitation, and greet whoever gave it. Asked again it greets again."""
    now, setup = context.api.clock.now(), await context.setup()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        known = await peers.peer_by_id(connection, peer.id)
    if known is not None and known.secret != peer.secret:
        return await _renewed(context, known, peer.secret)
    async with context.api.database.tenant(context.tenant_id) as connection:
        if known is None:
            await peers.add_peer(connection, context.actor, peer, now=now)
        await ask(context, known or peer, GREET, {"tenant": setup.slug})
        await peers.change_peer(
            connection, context.actor, peer.id, status=PeerStatus.ACTIVE, now=now
        )
    context.api.forget(context.tenant_id)
    return await _read(context, peer.id)


async def _renewed(context: Context, peer: Peer, secret: bytes) -> Peer:
    """Enter a new secret. It is kept before the other side hears that we have it, or its calls
    would be nobody's where its answer is lost; then both are sure of it."""
    now, setup = context.api.clock.now(), await context.setup()
    async with context.api.database.tenant(context.tenant_id) as connection:
        if peer.next_secret != secret:
            await peers.keep_next(connection, context.actor, peer.id, secret, entered=True, now=now)
    context.api.forget(context.tenant_id)
    await ask(context, replace(peer, secret=secret), GREET, {"tenant": setup.slug})
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.renew(connection, context.actor, peer.id, secret, now=now)
    context.api.forget(context.tenant_id)
    return await _read(context, peer.id)


async def rotate(context: Context, partner: str) -> tuple[Peer, str]:
    """Make a new secret: the brand, and the invitation to it.

    :raises Refused: NOT_FOUND, AGREEMENT_STATE
    """
    ident, secret = uuid_of(partner, PEER, field="partner"), peers.new_secret()
    if (await _read(context, ident)).status is not PeerStatus.ACTIVE:
        raise Refused(
            Code.AGREEMENT_STATE, "has not entered the invitation that it was given",
            field="partner",
        )  # fmt: skip
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.keep_next(
            connection, context.actor, ident, secret, entered=False, now=context.api.clock.now()
        )
    context.api.forget(context.tenant_id)
    return await _read(context, ident), peers.invitation(ident, secret)


async def greeted(context: Context, tenant: str) -> PeerStatus:
    """A brand greets that has entered our invitation: it has the secret that is in it.

    :raises Refused: NOT_FOUND
    """
    ident, now = context.who.peer, context.api.clock.now()
    if ident is None:
        raise gone("partner")
    peer = await _read(context, ident)
    if peer.remote != tenant:
        raise Refused(Code.NOT_FOUND, "another brand was invited by this", field="tenant")
    if peer.status is PeerStatus.WAITING and peer.asked:
        async with context.api.database.tenant(context.tenant_id) as connection:
            await peers.change_peer(
                connection, context.actor, ident, status=PeerStatus.ACTIVE, now=now
            )
        context.api.forget(context.tenant_id)
    if context.who.signed_by != peer_calls.digest(peer.secret):
        await _heard(context, peer, now)
    return PeerStatus.ACTIVE


async def _heard(context: Context, peer: Peer, now: datetime) -> None:
    """The greeting is signed with a secret that is not in force: the one to come, or an old one."""
    secret = peer.next_secret
    if secret is None or context.who.signed_by != peer_calls.digest(secret):
        raise Refused(Code.NOT_FOUND, "another invitation was made since", field="tenant")
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.renew(connection, context.actor, peer.id, secret, now=now)
    context.api.forget(context.tenant_id)


async def _moved(context: Context, peer: Peer, url: str) -> Peer:
    async with context.api.database.tenant(context.tenant_id) as connection:
        await peers.change_peer(
            connection, context.actor, peer.id, url=url, now=context.api.clock.now()
        )
    context.api.forget(context.tenant_id)
    return await _read(context, peer.id)


async def end(context: Context, partner: str) -> Peer:
    """Work with a brand no more.

    :raises Refused: NOT_FOUND, AGREEMENT_STATE
    """
    ident = uuid_of(partner, PEER, field="partner")
    peer = await _read(context, ident)
    async with context.api.database.tenant(context.tenant_id) as connection:
        if await connection.fetchval(_BOUND, ident):
            raise Refused(
                Code.AGREEMENT_STATE, "has agreements that are not ended, or exchanges under way",
                field="partner",
            )  # fmt: skip
        await connection.execute(_SAY_NO_MORE, ident)
        await peers.change_peer(
            connection, context.actor, ident, status=PeerStatus.ENDED,
            now=context.api.clock.now(),
        )  # fmt: skip
    context.api.forget(context.tenant_id)
    return replace(peer, status=PeerStatus.ENDED)


async def _read(context: Context, ident: UUID) -> Peer:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await peers.peer_by_id(connection, ident)
    if found is None:
        raise gone("partner")
    return found
