"""What plugins load for their rules, once a batch, after the locks and only if a fact asks."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.facts import Fact, PurchaseReversed
from loyalty.plugin import LoadRequest
from loyalty.plugin_set import PluginSet, Turn, loader_of
from loyalty.recorder.wants import kinds
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Request
from loyalty.settlement.reversing import sale_key
from loyalty.settlement.settle import REDEMPTION_COMMANDS
from loyalty.setup import Setup


async def load_needs(
    connection: Any, requests: Sequence[Request], batch: Batch
) -> Mapping[tuple[int, str], Mapping[str, Any]]:
    """The answers of all loaders by (index of the request, program slug)."""
    asked: dict[tuple[str, str], dict[tuple[int, str], LoadRequest]] = {}
    for index, request in enumerate(requests):
        for kind in kinds(request.fact, batch.plugins, batch.setup):
            for turn in batch.plugins.turns(kind, batch.setup, request.fact.occurred_at):
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


async def owners_of(
    connection: Any, requests: Sequence[Request], setup: Setup, plugins: PluginSet
) -> list[UUID]:
    """Other owners whose accounts these requests may move, resolved before anything is locked."""
    resolvers = [
        plugin.owner_of
        for program in setup.programs
        if (plugin := plugins.by_name.get(program.kind)) is not None and plugin.owner_of
    ]
    refs = [request.fact.member for request in requests if request.fact.member is not None]
    sales = [sale_key(r.fact) for r in requests if isinstance(r.fact, PurchaseReversed)]
    if not resolvers or not (refs or sales):
        return []
    members = await connection.fetch(
        "select id from loyalty.member where id = any($1) or external_id = any($2)"
        " union select member_id from loyalty.member_identifier where value = any($3)"
        " union select f.member_id from loyalty.fact f"
        " join unnest($4::text[], $5::text[]) k(scope, key) on (k.scope, k.key) = (f.scope, f.key)"
        " where f.member_id is not null",
        [ref.id for ref in refs if ref.id],
        [ref.external_id for ref in refs if ref.external_id],
        [ref.identifier for ref in refs if ref.identifier],
        [key.scope for key in sales],
        [key.key for key in sales],
    )
    owners = {
        owner
        for row in members
        for resolve in resolvers
        for unit in setup.units
        if (owner := resolve(row["id"], unit)) is not None and owner != row["id"]
    }
    return sorted(owners)
