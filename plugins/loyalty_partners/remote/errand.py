"""What a worker does for one tenant: carries on what is under way, and compares days."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.errors import Refused
from loyalty.jobs.errands import Outside
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_partners.legs import UNKNOWN, LegState
from loyalty_partners.remote import comparing, documents
from loyalty_partners.remote.carrying import EXCHANGE, Carrier, patience
from loyalty_partners.remote.leg_row import LegRow, claim, legs_of
from loyalty_partners.remote.speaking import SECONDS_PATIENT, Silence
from loyalty_tenants.peers import peers_of

DUE = "select loyalty.partners_due($1)"
WAITING = "select loyalty.partners_waiting()"
AT_ONCE = 16  # legs of one partner

_SETTLED = """
update loyalty.partners_leg set state = 'SETTLED', changed_at = $2, due_at = null, attempts = 0,
       problem = null
 where tenant_id = (select loyalty.tenant()) and id = any($1) and state = 'CREDITED' and outgoing
"""


async def run(out: Outside, tenant_id: UUID) -> None:
    """Everything that is due in a tenant now, a bounded part of it at a time."""
    now = out.clock.now()
    async with out.database.tenant(tenant_id) as connection:
        ids = await claim(connection, now, AT_ONCE)
        legs = await legs_of(connection, ids)
        peers = {peer.id: peer for peer in await peers_of(connection)}
    by_pair: dict[tuple[UUID, UUID], list[LegRow]] = {}
    for leg in legs:
        by_pair.setdefault((leg.peer_id, leg.program_id), []).append(leg)
    setup = await out.setups.current(tenant_id)
    await asyncio.gather(
        *(
            _with(
                Carrier(
                    out=out, tenant_id=tenant_id, peer=peers[peer_id], seconds=SECONDS_PATIENT,
                    gives_up=patience(setup, program_id, now).gives_up,
                ),
                theirs,
            )
            for (peer_id, program_id), theirs in by_pair.items()
            if peer_id in peers
        )
    )  # fmt: skip
    await comparing.compare_due(out, tenant_id, peers)


async def _with(carrier: Carrier, legs: Sequence[LegRow]) -> None:
    credited = [leg for leg in legs if leg.outgoing and leg.state is LegState.CREDITED]
    others = [leg for leg in legs if leg not in credited]
    await asyncio.gather(
        *(_one(carrier, leg) for leg in others),
        *([_confirmed(carrier, credited)] if credited else []),
    )


async def _one(carrier: Carrier, leg: LegRow) -> None:
    try:
        if leg.reversal == "TAKEN":
            await carrier.tell_reversal(leg)
        elif leg.outgoing and leg.state in UNKNOWN:
            await carrier.bring(leg)
    except (Silence, Refused) as trouble:
        await carrier.failed(leg, trouble)


async def _confirmed(carrier: Carrier, legs: Sequence[LegRow]) -> None:
    """Tell the partner that we know: then both do."""
    by_node = {str(node_id(EXCHANGE, leg.id)): leg for leg in legs}
    try:
        payload: Mapping[str, Any] = await carrier.say(
            "confirmExchanges", documents.CONFIRM, {"exchanges": list(by_node)}
        )
    except Silence as silence:
        for leg in legs:
            await carrier.failed(leg, silence)
        return
    heard = [found[1] for one in payload["exchanges"] if (found := read_node_id(one)) is not None]
    out = carrier.out
    async with out.database.tenant(carrier.tenant_id) as connection:
        await connection.execute(_SETTLED, heard, out.clock.now())
