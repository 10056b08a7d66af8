"""Plans as members and shops see them: what they cost now and what comes with them."""

from datetime import datetime

import strawberry

from loyalty.setup import Setup
from loyalty.units import currency_places, format_minor, parse_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.scalars import Decimal, Json
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.graphql.programs import offered
from loyalty_subscriptions.plans import Perk, Plan, Price
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class SubscriptionAmount:
    """An amount of money, or of points."""

    currency: str | None
    """ISO 4217 code; null where it is points."""
    unit: str | None
    """Code of the unit of points; null where it is money."""
    amount: Decimal
    """How much of it."""


@strawberry.type
@reached
class SubscriptionPerk:
    """Something that comes with a plan and is no points."""

    id: str
    """Names it for shops and conditions."""
    label: str
    """What members read."""
    attributes: Json
    """What the shop needs to know of it."""


@strawberry.type
@reached
class SubscriptionGift:
    """Points that come with a period that is paid for."""

    id: str
    """Names it in statements and decisions."""
    label: str
    """What members read beside the points."""
    given: SubscriptionAmount
    """What is given."""
    each_period: bool
    """Whether every period brings it; otherwise only a member's first one."""


@strawberry.type
@reached
class SubscriptionPlan:
    """A plan that members subscribe to."""

    program: str
    """Slug of the program."""
    id: str
    """Names it in `subscribe`."""
    label: str
    """What members read."""
    offered: bool
    """Whether members may subscribe to it now."""
    period: str | None
    """Length of a period, an ISO 8601 duration; null: for life."""
    trial: str | None
    """Length of the free trial before the first period; null: none."""
    price: list[SubscriptionAmount]
    """What a period that begins today costs: in each currency, or in points; none: nothing."""
    perks: list[SubscriptionPerk]
    """What comes with it and is no points."""
    gifts: list[SubscriptionGift]
    """Points that come with it."""
    boosts: list[str]
    """Labels of the earning rules that come with it."""


@strawberry.type
class PlanQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.MEMBER, Role.OPERATOR, scope="programs:read")
    async def subscription_plans(
        self, info: RequestInfo, program: str | None = None
    ) -> list[SubscriptionPlan]:
        """The plans of the tenant's programs of subscriptions, the best first.

        :param program: slug of a program; default: all of them
        """
        setup, now = await info.context.setup(), info.context.api.clock.now()
        return [
            shown_plan(one.slug, config, plan, setup, now)
            for one, config in offered(setup, now)
            if program in (None, one.slug)
            for plan in config.plans
        ]


def shown_plan(
    slug: str, config: SubscriptionsConfig, plan: Plan, setup: Setup, now: datetime
) -> SubscriptionPlan:
    return SubscriptionPlan(
        program=slug,
        id=plan.id,
        label=plan.label,
        offered=plan.offered,
        period=plan.period,
        trial=plan.trial,
        price=shown_price(config, plan.price_at(now, setup.zone), setup),
        perks=[shown_perk(perk) for perk in plan.perks],
        gifts=[
            SubscriptionGift(
                id=gift.id,
                label=gift.label,
                given=_points(gift.points, config.gift_unit(gift), setup),
                each_period=gift.given_with.value == "each",
            )
            for gift in plan.gifts
        ],
        boosts=[rule.label for rule in config.rules if not rule.plans or plan.id in rule.plans],
    )


def shown_price(
    config: SubscriptionsConfig, price: Price | None, setup: Setup
) -> list[SubscriptionAmount]:
    if price is None:
        return []
    if price.points is not None:
        return [_points(price.points, config.fee_unit(price), setup)]
    return [money(currency, price.minor(currency) or 0) for currency in sorted(price.money or {})]


def shown_perk(perk: Perk) -> SubscriptionPerk:
    return SubscriptionPerk(id=perk.id, label=perk.label, attributes=Json(dict(perk.attributes)))


def money(currency: str, minor: int) -> SubscriptionAmount:
    amount = Decimal(format_minor(minor, currency_places(currency) or 0))
    return SubscriptionAmount(currency=currency, unit=None, amount=amount)


def in_points(minor: int, unit: str, setup: Setup) -> SubscriptionAmount:
    amount = Decimal(format_minor(minor, setup.places(unit) or 0))
    return SubscriptionAmount(currency=None, unit=unit, amount=amount)


def _points(text: str, unit: str, setup: Setup) -> SubscriptionAmount:
    whole, _, part = text.partition(".")
    places = setup.places(unit) or 0
    minor = parse_minor(f"{whole}.{part[:places]}" if part[:places] else whole, places, field=unit)
    return in_points(minor, unit, setup)
