"""How often rules gave and how much, as counters: what limits, caps and budgets look at."""

from collections.abc import Iterator, Sequence

from loyalty.facts import Fact, PurchaseReversed
from loyalty.plugin import Counter, Scope, Window
from loyalty.view import GrantView
from loyalty_earning.caps import CARRIED, CapOn
from loyalty_earning.config import EarningConfig
from loyalty_earning.limits import Limit
from loyalty_earning.periods import Measure


def times_name(rule: str, limit: Limit) -> str:
    """Name of the counter of how often a rule gave."""
    return limit.counter_name(f"times.{rule}", limit.per)


def uses(config: EarningConfig) -> Iterator[Counter]:
    """The counters behind all limits and caps of a program."""
    for rule in config.rules:
        for limit in rule.limits:
            yield limit.counter(
                f"times.{rule.id}", limit.per, _times(rule.id), returns=True, bears=True,
                rules=frozenset([rule.id]),
            )  # fmt: skip
    for on in config.caps_on:
        yield given_counter(on)
    yield from map(owed_counter, config.carrying.values())


def given_counter(on: CapOn) -> Counter:
    """What was given under a cap in its period."""
    name = f"given.{on.target}.{on.unit}"
    return on.cap.counter(name, on.cap.per, _given(on), returns=True, bears=True, rules=on.rules)


def owed_counter(on: CapOn) -> Counter:
    """What the caps on one target that carry over cut and is still to be given."""
    return Counter(
        name=on.owed, scope=Scope.MEMBER, window=Window.LIFETIME, measure=owed(on), returns=True
    )


def _times(rule: str) -> Measure:
    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        if isinstance(fact, PurchaseReversed):  # nothing was bought for it, but it may settle uses
            return sum(one.uses for one in grants if (one.rule, one.program) == (rule, program))
        for one in grants:
            if one.rule == rule and one.program == program and _gives(one):
                return 1
        return 0

    return measure


def _gives(grant: GrantView) -> bool:
    """Whether there is something of it, be it only later, when a cap that carries over has room, or
    was spent when the goods came back."""
    return grant.granted + grant.borne > 0 or (
        grant.postponed is not None and any(later > 0 for later in grant.postponed.values())
    )


def _given(on: CapOn) -> Measure:
    unit, rules = on.unit, on.rules

    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        given = 0
        for one in grants:
            if one.program == program and one.unit == unit and one.rule in rules:
                given += one.granted + one.borne
        return given

    return measure


def owed(on: CapOn) -> Measure:
    """What was cut, less what was given of it since. A grant says itself what is owed of it by
    which cap, also that of a rule that is no more."""

    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        owed = 0
        for one in grants:
            if one.program != program or one.unit != on.unit:
                continue
            if one.rule == on.carried:
                owed -= one.granted
            elif one.postponed is not None:
                owed += one.postponed.get(on.target, 0)
            elif one.rule in on.rules and not one.rule.endswith(CARRIED) and one.cut_by == on.code:
                owed += one.wanted - one.granted  # recorded before it was told apart
        return owed

    return measure
