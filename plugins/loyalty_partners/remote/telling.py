"""What both halves must know is told to a partner elsewhere before our half is committed.

There first: where the partner refuses, nothing is done here; where it does not answer, nothing is
either, and the same may be asked again. What it did already it answers as before.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty_graphql.context import Context
from loyalty_partners.agreements import Agreement
from loyalty_partners.remote import documents
from loyalty_partners.remote.speaking import Silence, say
from loyalty_tenants.peers import Peer, peer_by_id, peer_named


class Call(NamedTuple):
    field: str
    document: str


GREET = Call("greetPartner", documents.GREET)
OFFER = Call("offerExchange", documents.OFFER)
OFFER_TERMS = Call("offerPartnerTerms", documents.OFFER_TERMS)
WITHDRAW = Call("withdrawPartnerTerms", documents.WITHDRAW)
ACCEPT = Call("acceptPartnerTerms", documents.ACCEPT)
CHANGE: Mapping[str, Call] = {
    "suspend": Call("suspendPartnership", documents.SUSPEND),
    "resume": Call("resumePartnership", documents.RESUME),
    "end": Call("endPartnership", documents.END),
}
# What stops here stops at once, whether or not the partner hears: what it sends is called off.
STOPS = frozenset({"suspend", "end"})
LINK = Call("linkPartnerMember", documents.LINK)
UNLINK = Call("endPartnerLink", documents.UNLINK)
TAKE_BACK = Call("takeExchangeBack", documents.TAKE_BACK)
PROPOSE = Call("proposeStatement", documents.PROPOSE)
AGREE = Call("agreeStatement", documents.AGREE)
SETTLE = Call("settleStatement", documents.SETTLE)
DISPUTE = Call("disputePartnerLine", documents.DISPUTE)
DECIDE = Call("decidePartnerDispute", documents.DECIDE)


async def named(context: Context, name: str) -> Peer | None:
    """A brand of another installation that we call so."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return await peer_named(connection, name)


async def tell(
    context: Context, connection: Connection, half: Agreement, call: Call, given: Mapping[str, Any]
) -> Any:
    """Have a partner elsewhere do its part: what it answers. Of others, and of a partner that asks
    for this itself, nothing is asked.

    :raises Refused: as the partner refuses; PARTNER_NOT_AVAILABLE where it does not answer
    """
    if half.peer_id is None or context.who.peer is not None:
        return None
    peer = await peer_by_id(connection, half.peer_id)
    if peer is None:
        raise silent()
    return await ask(context, peer, call, given)


async def ask(context: Context, peer: Peer, call: Call, given: Mapping[str, Any]) -> Any:
    """:raises Refused: as `tell` does"""
    try:
        payload = await say(
            context.api.way, peer, call.field, call.document, {"input": given},
            now=context.api.clock.now(),
        )  # fmt: skip
    except Silence:
        raise silent() from None
    for error in payload["userErrors"]:
        _refuse(error)
    return payload


def silent() -> Refused:
    return Refused(
        Code.PARTNER_NOT_AVAILABLE,
        "the partner did not answer: nothing was done here, send the same again",
        field="partner",
    )


def _refuse(error: Mapping[str, Any]) -> NoReturn:
    try:
        code = Code(error["code"])
    except ValueError:  # of a newer release
        code = Code.PARTNER_NOT_AVAILABLE
    raise Refused(code, f"the partner: {error['message']}"[:300], field=error.get("field"))
