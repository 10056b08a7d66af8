"""The rewards of a program: what a member can have of them, and what one is worth in a basket."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.cache.cached_balance import balance_at
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.plugin import Connection
from loyalty.setup import Program, Setup, active_programs
from loyalty.traits import defaults
from loyalty.units import currency_places, format_minor
from loyalty.view import TraitValue, View
from loyalty_earning.choices import hint
from loyalty_earning.unit_places import unit_places
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.member_ref import member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import purchase_fact
from loyalty_graphql.purchase_mutations import RecordPurchaseInput
from loyalty_graphql.redemptions import Redemption
from loyalty_graphql.scalars import Decimal
from loyalty_points.config import PointsConfig
from loyalty_points.graphql.programs import named, offered
from loyalty_points.ladder import barred
from loyalty_points.reward_uses import RewardUse, used_by
from loyalty_points.reward_value import value_of
from loyalty_points.rewards import Reward
from loyalty_tenants.principal import Role

NONE: Sequence[Any] = ()
_TRAITS = """
select t.member_id, t.name, t.value, t.since, t.until
  from unnest($1::uuid[]) m (id) cross join lateral (
    select t.* from loyalty.trait t
     where t.tenant_id = (select loyalty.tenant()) and t.member_id = m.id offset 0) t
 order by t.since, t.recorded_at, t.fact_id
"""
_TERMS = """
select r.id, p.terms from unnest($1::uuid[]) w (id)
  cross join lateral (
    select r.* from loyalty.redemption r
     where r.tenant_id = (select loyalty.tenant()) and r.id = w.id limit 1) r
  cross join lateral (
    select p.terms from loyalty.points_reward p
     where p.tenant_id = r.tenant_id and p.member_id = r.member_id
       and p.program_id = r.program_id and p.fact_id = r.hold_fact_id limit 1) p
"""


@strawberry.type
@reached
class MoneyAmount:
    """An amount of money."""

    currency: str
    """ISO 4217 code."""
    amount: Decimal
    """How much of it."""


@strawberry.type
@reached
class RewardTerms:
    """What a reward is."""

    id: str
    """Names it in `redeemPoints`."""
    label: str
    """What members read."""
    cost: Decimal
    """How many points it takes."""
    kind: str
    """amount (money off), percent (a part off) or item (a product for nothing)."""
    amount: list[MoneyAmount]
    """Of an amount: what is taken off, by currency."""
    percent: Decimal | None
    """Of a percent: how many hundredths are taken off."""
    maximum: list[MoneyAmount]
    """Of a percent: the most that it takes off, by currency; none: there is no maximum."""
    item: str | None
    """Of an item: the stock keeping unit that is given."""
    version: int
    """The program's version that says so."""


@strawberry.type
@reached
class MemberReward:
    """A reward of a program, and whether the member can have it now."""

    program: str
    """Slug of the program."""
    terms: RewardTerms
    """What it is and costs now."""
    affordable: bool
    """Whether the member has the points."""
    available: bool
    """Whether it is for this member now: its days, its condition and its limits. Whether an order
    has room for it is asked when it is redeemed."""
    why_not: str | None
    """What speaks against it, in words; null where it is available."""
    code: Code | None
    """The code with which `redeemPoints` would refuse it; null where it is available."""


@strawberry.type
@reached
class RewardValue:
    """What a reward would take off a basket."""

    value: MoneyAmount | None
    """Never more than what it is taken off; null where there is no such reward or currency."""
    user_errors: list[UserError]
    """Why nothing can be said; empty where it can."""


@strawberry.field
async def rewards(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[MemberReward]:
    """The rewards of the tenant's programs, and which of them the member can have now.

    :param program: slug of a program; default: all of them
    """
    context = info.context
    setup, now = await context.setup(), context.api.clock.now()
    shown: list[MemberReward] = []
    for one, config in offered(setup, now):
        if not config.rewards or program not in (None, one.slug):
            continue
        view = await _view(context, root.key, setup, one, now)
        uses = await context.loaders.of(used_by, NONE).load(root.key)
        mine = [use for of, use, until in uses if of == one.id and (until is None or until > now)]
        held = await context.loaders.holding.load((root.key, config.unit, 0))
        spendable = balance_at(held, now).available
        shown += [
            _member_reward(one, config, reward, now, view, mine, spendable)
            for reward in config.rewards
        ]
    return shown


@strawberry.field
async def reward(root: strawberry.Parent[Redemption], info: RequestInfo) -> RewardTerms | None:
    """The reward that was redeemed, as it was then; null where points were spent as such."""
    terms = await info.context.loaders.of(_terms, None).load(
        uuid_of(root.id, "Redemption", field="id")
    )
    return None if terms is None else _shown(terms)


@strawberry.type
class RewardQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:read")
    @allow(Role.MEMBER, scope="self:read")
    async def reward_value(
        self, info: RequestInfo, program: str, reward: str, input: RecordPurchaseInput
    ) -> RewardValue:
        """What a reward would take off a basket. Nothing is recorded, no balance is looked at.

        :param program: slug of the program
        :param reward: id of the reward
        :param input: the basket
        """
        done, refused = await attempted(_valued(info.context, program, reward, input))
        return RewardValue(value=done, user_errors=user_errors(refused))


async def _valued(
    context: Context, slug: str, named_reward: str, given: RecordPurchaseInput
) -> MoneyAmount:
    setup, _, config = await named(context, slug)
    found = config.rewards_by_id.get(named_reward)
    if found is None:
        raise Refused(
            Code.REWARD_NOT_FOUND,
            f"there is no reward {named_reward}{hint(named_reward, list(config.rewards_by_id))}",
            field="reward",
        )
    fact = purchase_fact(given, await context.own(member_ref(given.member)), setup)
    value = value_of(found, fact)
    if value is None:
        raise Refused(
            Code.REWARD_NOT_AVAILABLE,
            f"the reward has no amount in {fact.currency}",
            field="input.currency",
        )
    return _money(fact.currency, value)


def _member_reward(
    program: Program,
    config: PointsConfig,
    reward: Reward,
    now: datetime,
    view: View,
    uses: Sequence[RewardUse],
    spendable: int,
) -> MemberReward:
    found = barred(config, reward, now, view, uses)
    version = program.at(now)
    return MemberReward(
        program=program.slug,
        terms=_shown(reward.terms(version.number if version else 0)),
        affordable=spendable >= reward.price(unit_places(view, config.unit)),
        available=found is None,
        why_not=None if found is None else found.message,
        code=None if found is None else found.code,
    )


def _shown(terms: Mapping[str, Any]) -> RewardTerms:
    def by_currency(name: str) -> list[MoneyAmount]:
        amounts: Mapping[str, str] = terms.get(name) or {}
        return [MoneyAmount(currency=c, amount=Decimal(text)) for c, text in amounts.items()]

    percent = terms.get("percent")
    return RewardTerms(
        id=terms["id"],
        label=terms["label"],
        cost=Decimal(terms["cost"]),
        kind=terms["kind"],
        amount=by_currency("amount"),
        percent=None if percent is None else Decimal(percent),
        maximum=by_currency("maximum"),
        item=terms.get("item"),
        version=terms["version"],
    )


def _money(currency: str, minor: int) -> MoneyAmount:
    places = currency_places(currency) or 0
    return MoneyAmount(currency=currency, amount=Decimal(format_minor(minor, places)))


async def _view(
    context: Context, member_id: UUID, setup: Setup, program: Program, now: datetime
) -> View:
    """What a condition on the member reads, as it stands now."""
    rows = await context.loaders.of(_traits, NONE).load(member_id)
    given = defaults(active_programs(setup, now), context.api.plugins.by_name)
    traits = {name: TraitValue(value=value, since=now) for name, value in given.items()} | {
        row["name"]: TraitValue(value=row["value"], since=row["since"], until=row["until"])
        for row in rows
        if row["since"] <= now and (row["until"] is None or row["until"] > now)
    }
    member = await context.loaders.member.load(Ref(id=member_id))
    return View(program=program.slug, setup=setup, member=member, traits=traits)


async def _traits(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(_TRAITS, list(members)):
        found.setdefault(row["member_id"], []).append(row)
    return found


async def _terms(connection: Connection, redemptions: Sequence[UUID]) -> Mapping[UUID, Any]:
    rows = await connection.fetch(_TERMS, list(redemptions))
    return {row["id"]: row["terms"] for row in rows}
