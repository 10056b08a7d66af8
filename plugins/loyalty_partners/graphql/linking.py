"""Two accounts of one person, linked: a code issued at one brand and redeemed at the other."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from loyalty import members
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.ids import NIL, new_id
from loyalty.recorder.pair import both
from loyalty.view import MemberView
from loyalty_graphql.context import Context
from loyalty_graphql.ids import node_id
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementState
from loyalty_partners.graphql.link_code import draw_code, hash_of
from loyalty_partners.remote import telling
from loyalty_partners.remote.telling import tell

AGREEMENT, LINK = "PartnerAgreement", "PartnerLink"
AGAIN = timedelta(minutes=15)  # for so long a code that was taken is known to whom it linked
FAILURES_MAX = 10  # codes that are none, by member and hour

_KEEP_CODE = """
insert into loyalty.partners_link_code (tenant_id, agreement_id, member_id, hash, expires_at)
values (loyalty.tenant(), $1, $2, $3, $4)
on conflict (tenant_id, agreement_id, member_id)
do update set hash = excluded.hash, expires_at = excluded.expires_at
"""
_TAKE_CODE = """
delete from loyalty.partners_link_code
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and hash = $2
   and expires_at > $3 returning member_id
"""
_LINK = """
insert into loyalty.partners_link (tenant_id, id, agreement_id, member_id, state, created_at)
values (loyalty.tenant(), $1, $2, $3, 'ACTIVE', $4)
"""
_THERE = """
select created_at from loyalty.partners_link
 where tenant_id = (select loyalty.tenant()) and id = $1
"""
_LINKED = """
select id from loyalty.partners_link
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and member_id = $2
   and state = 'ACTIVE'
"""
_ENDED = """
update loyalty.partners_link set state = 'ENDED', ended_at = $2
 where tenant_id = (select loyalty.tenant()) and id = $1 and state = 'ACTIVE'
"""
_FAILED = """
insert into loyalty.partners_link_failure (tenant_id, client, hour, failures)
values (loyalty.tenant(), $1, $2, 1)
on conflict (tenant_id, client, hour) do update set failures = partners_link_failure.failures + 1
"""
# An hour that is over counts for nothing any more.
_FORGET = """
delete from loyalty.partners_link_failure
 where tenant_id = (select loyalty.tenant()) and hour < $1
"""
_FAILURES = """
select coalesce(sum(failures), 0)::int from loyalty.partners_link_failure
 where tenant_id = (select loyalty.tenant()) and client = $1 and hour = $2
"""


async def issue_code(context: Context, agreement_id: UUID, ref: MemberRef) -> tuple[str, datetime]:
    """A code that links this member's account, and until when.

    :raises Refused: NOT_FOUND, MEMBER_NOT_FOUND, ALREADY_EXISTS, PARTNER_NOT_AVAILABLE
    """
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id) as connection:
        half = await linkable(context, connection, agreement_id)
        member = await _member(connection, ref)
        await _not_linked(connection, half, member)
        code, until = draw_code(), now + await _codes_last(context, half)
        await connection.execute(_KEEP_CODE, half.id, member.id, hash_of(code), until)
    return code, until


async def redeem_code(
    context: Context, agreement_id: UUID, code: str, ref: MemberRef
) -> tuple[UUID, bool]:
    """Link this member with the one of the partner whose code it is: the link, in two halves.

    Whatever is wrong with a code, the answer is the same.

    :raises Refused: NOT_FOUND, LIMIT_REACHED, MEMBER_NOT_FOUND, ALREADY_EXISTS
    """
    now = context.api.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        half = await linkable(context, connection, agreement_id)
        member = await _member(connection, ref)
        await _not_linked(connection, half, member)
        if await connection.fetchval(_FAILURES, str(member.id), hour) >= FAILURES_MAX:
            raise Refused(
                Code.LIMIT_REACHED, "too many codes were wrong: try again in an hour", field="code"
            )
    link = await _linked(context, half, member, code, now)
    if link is None:
        async with context.api.database.tenant(context.tenant_id) as connection:
            await connection.execute(_FAILED, str(member.id), hour)
            await connection.execute(_FORGET, hour)
        raise Refused(Code.NOT_FOUND, "there is no such code, or it is used or over", field="code")
    return link, False


async def _linked(
    context: Context, half: Agreement, member: MemberView, code: str, now: datetime
) -> UUID | None:
    if half.peer_id is not None:
        return await _linked_elsewhere(context, half, member, code, now)
    assert half.partner_tenant_id is not None, "it was looked at"
    link = new_id()
    async with both(context.api.database, context.tenant_id, half.partner_tenant_id) as sides:
        connection = await sides.of(half.partner_tenant_id)
        theirs = await connection.fetchval(_TAKE_CODE, half.id, hash_of(code), now)
        if theirs is None or await connection.fetchval(_LINKED, half.id, theirs) is not None:
            return None
        await connection.execute(_LINK, link, half.id, theirs, now)
        await (await sides.of(context.tenant_id)).execute(_LINK, link, half.id, member.id, now)
    return link


async def _linked_elsewhere(
    context: Context, half: Agreement, member: MemberView, code: str, now: datetime
) -> UUID | None:
    """The code says what the link is called, so that asking twice makes one."""
    link = uuid5(half.id, hash_of(code).hex())
    given = {"agreement": node_id(AGREEMENT, half.id), "code": code, "link": node_id(LINK, link)}
    try:
        async with context.api.database.tenant(context.tenant_id) as connection:
            if await connection.fetchval(_THERE, link):
                return None  # used, for whomever
            await connection.execute(_LINK, link, half.id, member.id, now)
            await tell(context, connection, half, telling.LINK, given)
    except Refused as refused:
        if refused.code is not Code.NOT_FOUND:
            raise
        return None
    return link


async def take_code(context: Context, agreement_id: UUID, code: str, link: UUID) -> bool:
    """Link the member of ours whose code a brand elsewhere sends; again within minutes is known.

    :raises Refused: PARTNER_NOT_AVAILABLE
    """
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id) as connection:
        half = await linkable(context, connection, agreement_id)
        if half.peer_id != context.who.peer:
            raise Refused(
                Code.PARTNER_NOT_AVAILABLE, "not possible with this partner now", field="agreement"
            )
        if link != uuid5(half.id, hash_of(code).hex()):
            return False
        made = await connection.fetchval(_THERE, link)
        if made is not None:
            return bool(made > now - AGAIN)
        ours = await connection.fetchval(_TAKE_CODE, half.id, hash_of(code), now)
        if ours is None or await connection.fetchval(_LINKED, half.id, ours) is not None:
            return False
        await connection.execute(_LINK, link, half.id, ours, now)
    return True


async def end_link(context: Context, link_id: UUID, ref: MemberRef | None) -> None:
    """End a link in both halves; one that has ended stays so.

    :raises Refused: NOT_FOUND
    """
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        row = await connection.fetchrow(
            """select l.member_id, a.partner_tenant_id, a.peer_id, a.id from loyalty.partners_link l
                 join loyalty.partners_agreement a
                   on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
                where l.tenant_id = (select loyalty.tenant()) and l.id = $1""",
            link_id,
        )
        member = None if ref is None else await members.find(connection, ref)
    theirs = context.who.peer is not None and (row is None or row["peer_id"] != context.who.peer)
    if (
        row is None
        or theirs
        or (ref is not None and (member is None or member.id != row["member_id"]))
    ):
        raise Refused(Code.NOT_FOUND, "there is no such link", field="link")
    partner = row["partner_tenant_id"] or context.tenant_id
    async with both(context.api.database, context.tenant_id, partner) as sides:
        for tenant_id in sorted({context.tenant_id, partner}):
            await (await sides.of(tenant_id)).execute(_ENDED, link_id, now)
    if row["peer_id"] is not None:
        await _tell_of_the_end(context, row["id"], link_id)


async def _tell_of_the_end(context: Context, agreement_id: UUID, link_id: UUID) -> None:
    """Whether or not the partner hears of it, nothing moves over a link that has ended here."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        half = await agreements.by_id(connection, agreement_id)
        assert half is not None, "the link is under it"
        with suppress(Refused):
            await tell(context, connection, half, telling.UNLINK, {"link": node_id(LINK, link_id)})


async def linkable(context: Context, connection: Any, agreement_id: UUID) -> Agreement:
    """Our half of an agreement in force under which members have accounts on both sides.

    :raises Refused: PARTNER_NOT_AVAILABLE, the same whatever is missing
    """
    half = await agreements.by_id(connection, agreement_id)
    if (
        half is None
        or half.partner_tenant_id == NIL
        or (half.partner_tenant_id is None and half.peer_id is None)
        or half.state is not AgreementState.ACTIVE
    ):
        raise Refused(
            Code.PARTNER_NOT_AVAILABLE, "not possible with this partner now", field="agreement"
        )
    return half


async def _member(connection: Any, ref: MemberRef) -> MemberView:
    found = await members.find(connection, ref)
    if found is None:
        raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
    if found.status != "ACTIVE":
        code = Code.MEMBER_FROZEN if found.status == "FROZEN" else Code.MEMBER_CLOSED
        raise Refused(code, f"the member is {found.status.lower()}", field="member")
    return found


async def _not_linked(connection: Any, half: Agreement, member: MemberView) -> None:
    if await connection.fetchval(_LINKED, half.id, member.id) is not None:
        raise Refused(
            Code.ALREADY_EXISTS, "the member is linked with this partner already", field="member"
        )


async def _codes_last(context: Context, half: Agreement) -> timedelta:
    program = (await context.setup()).program_by_id(half.program_id)
    version = None if program is None else program.at(context.api.clock.now())
    if version is None:
        raise Refused(
            Code.PARTNER_NOT_AVAILABLE, "not possible with this partner now", field="agreement"
        )
    lasts: timedelta = version.config.codes_last
    return lasts
