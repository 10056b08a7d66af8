"""The decisions behind a recorded fact: what is kept of them, and the rest judged once more."""

from uuid import UUID

from loyalty.explaining import judgements
from loyalty.facts import FactKey
from loyalty.facts import MemberRef as Ref
from loyalty_graphql.context import Context
from loyalty_graphql.decisions import Decision, shown_decisions


async def decisions_of(context: Context, fact_id: UUID) -> list[Decision]:
    """Of each rule of the programs in force at the fact, whether it fired, and why not."""
    setup, loaders = await context.setup(), context.loaders
    recorded, body = await loaders.fact.load(fact_id), await loaders.decision.load(fact_id)
    if recorded is None:
        return []
    ref = Ref(id=recorded.member_id) if recorded.member_id else None
    member = await loaders.member.load(ref) if ref else None
    fact = context.api.plugins.codec.load(recorded.kind, recorded.payload, ref)
    told = judgements(
        context.api.plugins, setup, fact, body or {},
        key=FactKey(recorded.scope, recorded.key), member=member,
    )  # fmt: skip
    return shown_decisions(body, setup, tuple(told))
