"""What the plugin counts: pure."""

from collections.abc import Sequence

from loyalty.facts import Fact
from loyalty.plugin import Counter, Scope, Window
from loyalty.view import GrantView
from loyalty_stamps.config import StampsConfig
from loyalty_stamps.facts import CardFilled


def counters(config: StampsConfig) -> Sequence[Counter]:
    kept = []
    if config.cards_per_month is not None:
        kept.append(
            Counter(name="filled", scope=Scope.MEMBER, window=Window.MONTH, measure=_filled)
        )
    if config.budget_per_month is not None:
        kept.append(Counter(name="paid", scope=Scope.TENANT, window=Window.MONTH, measure=_paid))
    return kept


def _filled(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return fact.cards if isinstance(fact, CardFilled) and fact.program == program else 0


def _paid(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    if not isinstance(fact, CardFilled):
        return 0
    return sum(g.granted for g in grants if (g.program, g.rule) == (program, "card"))
