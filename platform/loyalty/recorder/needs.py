"""What plugins load for their rules, once a batch, after the locks and only if a fact asks."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.plugin import LoadRequest
from loyalty.plugin_set import PluginSet, loader_of
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Request
from loyalty.setup import Setup


async def load_needs(
    connection: Any, requests: Sequence[Request], batch: Batch
) -> Mapping[tuple[int, str], Mapping[str, Any]]:
    """The answers of all loaders by (index of the request, program slug)."""
    asked: dict[tuple[str, str], list[LoadRequest]] = {}
    for index, request in enumerate(requests):
        member = batch.member_of(request.fact.member)
        for kind in batch.plugins.closure(type(request.fact)):
            for turn in batch.plugins.turns(kind, batch.setup, request.fact.occurred_at):
                for name in turn.reaction.needs:
                    asked.setdefault((turn.plugin.name, name), []).append(
                        LoadRequest(
                            at=index,
                            fact=request.fact,
                            member_id=member.id if member else None,
                            program=turn.program.slug,
                            config=turn.version.config,
                        )
                    )
    answers: dict[tuple[int, str], dict[str, Any]] = {}
    for (plugin, name), wanted in asked.items():
        loader = loader_of(batch.plugins.by_name[plugin], name)
        for where, value in (await loader.load(connection, wanted)).items():
            answers.setdefault(where, {})[name] = value
    return answers


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
    if not resolvers or not refs:
        return []
    members = await connection.fetch(
        "select id from loyalty.member where id = any($1) or external_id = any($2)"
        " union select member_id from loyalty.member_identifier where value = any($3)",
        [ref.id for ref in refs if ref.id],
        [ref.external_id for ref in refs if ref.external_id],
        [ref.identifier for ref in refs if ref.identifier],
    )
    owners = {
        owner
        for row in members
        for resolve in resolvers
        for unit in setup.units
        if (owner := resolve(row["id"], unit)) is not None and owner != row["id"]
    }
    return sorted(owners)
