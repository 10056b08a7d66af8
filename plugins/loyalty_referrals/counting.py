"""What a referral program counts: members' orders, and friends whom referrers were rewarded for."""

from collections.abc import Sequence
from typing import Any

from loyalty.facts import Fact, PurchaseRecorded
from loyalty.plugin import Counter, Scope, Window
from loyalty.purchase import LineKind
from loyalty.view import GrantView, Measured
from loyalty_earning.counting import amounts_in
from loyalty_earning.limits import Limit
from loyalty_earning.measures import AmountBase
from loyalty_referrals.config import By, Qualify, ReferralsConfig, Via
from loyalty_referrals.facts import FriendStands, RewardDue, Rewarded, Side

ORDERS = "orders"
FRIENDS = "friends"


def counters(config: ReferralsConfig) -> Sequence[Counter]:
    found = [Counter(name=ORDERS, scope=Scope.MEMBER, window=Window.LIFETIME, measure=_orders)]
    if counts_orders(config):
        found.append(
            Counter(
                name=reaching(config.qualify),
                scope=Scope.MEMBER,
                window=Window.LIFETIME,
                measure=_orders_reaching(config.qualify),
                returns=True,
            )
        )
    limited = [
        limit.counter(FRIENDS, limit.per, _rewarded, returns=True, bears=True)
        for limit in config.limits
    ]
    return [*found, *limited]


def counts_orders(config: ReferralsConfig) -> bool:
    """Whether it takes several orders to qualify."""
    return config.qualify.by is By.ORDER and config.qualify.order > 1


def friends_in(limit: Limit) -> str:
    """Name of the counter of rewarded friends that a limit looks at."""
    return limit.counter_name(FRIENDS, limit.per)


def reaching(qualify: Qualify) -> str:
    """Name of the counter of orders that reach the minimum; it says which minimum that is."""
    least = sorted((qualify.least or {}).items())
    return f"{ORDERS}>=" + ",".join(f"{currency}{minor}" for currency, minor in least)


def reaches(qualify: Qualify, measured: Measured) -> int:
    """How many orders that reach the minimum are in what a return takes something off: 0 or 1."""
    measure = _orders_reaching(qualify)
    return sum(measure(fact, grants, "") for fact, grants in measured)


def goods_of(purchase: PurchaseRecorded) -> int:
    """What the products of an order come to, in minor units: after discounts, before tax."""
    goods = [line for line in purchase.lines if line.kind is LineKind.PRODUCT]
    return sum(amounts_in(AmountBase.NET, goods, tax_included=purchase.tax_included))


def least_of(qualify: Qualify, currency: str) -> int | None:
    """What an order must come to at least; None: no order in this currency counts."""
    return 1 if qualify.least is None else qualify.least.get(currency)


def claims(config: ReferralsConfig) -> bool:
    return Via.ENROLMENT in config.attribution.via


def _orders(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return int(isinstance(fact, PurchaseRecorded))


def _orders_reaching(qualify: Qualify) -> Any:
    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        if not isinstance(fact, PurchaseRecorded):
            return 0
        least = least_of(qualify, fact.currency)
        return int(least is not None and goods_of(fact) >= least)

    return measure


def _rewarded(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    """A friend of whom the referrer has something now, or had and spent. Where it is challenges
    alone, the fact that tells of them says so, and where it is nothing but steps, one that is there
    for that."""
    match fact:
        case RewardDue() if fact.program == program and fact.side == Side.REFERRER:
            mine = [one for one in grants if one.program == program]
            return int(any(one.granted + one.borne for one in mine))
        case Rewarded() if fact.program == program and fact.side == Side.REFERRER:
            return int(not fact.units)
        case FriendStands() if fact.program == program:
            return 1
    return 0
