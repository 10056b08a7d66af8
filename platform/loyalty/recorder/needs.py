"""What plugins load for their rules, once a batch, after the locks and only if a fact asks."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.facts import Fact, PurchaseReversed
from loyalty.plugin import LoadRequest
from loyalty.plugin_set import Turn, loader_of
from loyalty.recorder.looks import looks_of
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Request
from loyalty.settlement.reversing import sale_key
from loyalty.settlement.settle import REDEMPTION_COMMANDS


async def load_needs(
    connection: Any, requests: Sequence[Request], batch: Batch
) -> Mapping[tuple[int, str], Mapping[str, Any]]:
    """The answers of all loaders by (index of the request, program slug)."""
    asked: dict[tuple[str, str], dict[tuple[int, str], LoadRequest]] = {}
    for index, request in enumerate(requests):
        for turn in looks_of(request.fact, batch.plugins, batch.setup).needing:
            for name in turn.reaction.needs:
                asked.setdefault((turn.plugin.name, name), {}).setdefault(
                    (index, turn.program.slug), _load_request(batch, index, request, turn)
                )
    answers: dict[tuple[int, str], dict[str, Any]] = {}
    for (plugin, name), wanted in asked.items():
        loader = loader_of(batch.plugins.by_name[plugin], name)
        for where, value in (await loader.load(connection, list(wanted.values()))).items():
            answers.setdefault(where, {})[name] = value
    return answers


def _load_request(batch: Batch, index: int, request: Request, turn: Turn) -> LoadRequest:
    return LoadRequest(
        at=index,
        now=batch.now,
        fact=request.fact,
        member_id=subject(batch, request.fact),
        program=turn.program.slug,
        program_id=turn.program.id,
        config=turn.version.config,
    )


def subject(batch: Batch, fact: Fact) -> UUID | None:
    """Whom a fact is about: a return names its purchase, a settled hold its redemption."""
    if isinstance(fact, PurchaseReversed):
        sale = batch.sales.get(sale_key(fact))
        return sale.member_id if sale else None
    if isinstance(fact, REDEMPTION_COMMANDS) and fact.member is None:
        redemption = batch.redemptions.get(fact.redemption_id)
        return redemption.member_id if redemption else None
    member = batch.member_of(fact.member)
    return member.id if member else None
