"""Who keeps what the batch's members have: asked of the plugins before anything is locked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.owners import Owner
from loyalty.plugin import OwnerResolver, OwnersAsked, Question
from loyalty.plugin_set import PluginSet
from loyalty.recorder.wants import Wants
from loyalty.settlement.ownership import EVERYBODYS_OWN, Ownership
from loyalty.setup import Program, ProgramVersion, Setup, active_programs

Resolving = tuple[Program, ProgramVersion, OwnerResolver]


async def ownership_of(
    connection: Any, wants: Wants, setup: Setup, plugins: PluginSet, now: datetime
) -> Ownership:
    """What the resolvers answer about all members of a batch; `wants` then names their accounts.

    Where no program of the tenant has such a resolver, nothing is asked of the database.

    :raises TypeError: a resolver answers with a kind of owner that its plugin does not declare
    """
    resolving = list(_resolving(setup, plugins, now))
    if not resolving:
        return EVERYBODYS_OWN
    ids: Sequence[UUID | None] = await connection.fetchval(MEMBERS, list(wants.refs))
    members = frozenset(ident for ident in ids if ident is not None)
    questions = [(member, unit) for member in sorted(members) for unit in setup.units]
    answers: dict[Question, Owner] = {}
    disputed: set[Question] = set()
    if questions:
        for one in resolving:
            for question, owner in await _answered(connection, one, questions):
                if answers.setdefault(question, owner) != owner:
                    disputed.add(question)
    wants.redirect(ids, answers)
    return Ownership(members=members, answers=answers, disputed=frozenset(disputed))


def _resolving(setup: Setup, plugins: PluginSet, now: datetime) -> Iterator[Resolving]:
    """The programs in force that say whose account it is, in their order."""
    for program, version in active_programs(setup, now):
        plugin = plugins.by_name.get(program.kind)
        if plugin is not None and plugin.owner_of is not None:
            yield program, version, plugin.owner_of


async def _answered(
    connection: Any, resolving: Resolving, questions: Sequence[Question]
) -> Sequence[tuple[Question, Owner]]:
    program, version, resolver = resolving
    asked = OwnersAsked(
        program=program.slug, program_id=program.id, config=version.config, questions=questions
    )
    answers = list((await resolver.resolve(connection, asked)).items())
    for _, owner in answers:
        if owner.kind not in resolver.kinds:
            raise TypeError(f"{program.slug} names {owner}, which is no kind of owner it declares")
    return answers


# As open_batch will find them once more, when it locks them.
MEMBERS = """
select coalesce(array_agg(x.id order by r.ord), '{}')
  from unnest($1::loyalty.ref_in[]) with ordinality r(kind, value, scope, ord)
  left join lateral (
    select m.id from loyalty.member m
     where r.kind = 'i' and m.id = case when r.kind = 'i' then r.value::uuid end
    union all
    select m.id from loyalty.member m where r.kind = 'e' and m.external_id = r.value
    union all
    select i.member_id from loyalty.member_identifier i where r.kind = 'n' and i.value = r.value
    union all
    select f.member_id from loyalty.fact f
     where r.kind = 's' and f.scope = r.scope and f.key = r.value
    union all
    select d.member_id from loyalty.redemption d
     where r.kind = 'r' and d.id = case when r.kind = 'r' then r.value::uuid end
    limit 1) x on true
"""
