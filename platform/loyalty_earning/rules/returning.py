"""What a return changes beyond the shares of its lines.

A grant goes back by its shares, and the kernel sees to that. But what a period earns is a function
of its whole sum, and what a cap cut may have been given since: of both more or less may be due than
the shares say.
"""

from collections.abc import Iterator, Mapping, Sequence

from loyalty.effects import Effect, Grant, Recall
from loyalty.facts import PurchaseRecorded, PurchaseReversed
from loyalty.plugin import BurnWant
from loyalty.setup import ProgramVersion
from loyalty.view import CameBack, GrantView, Measured, View
from loyalty_earning.caps import CapOn
from loyalty_earning.choices import with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.curve import points_of_sum
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.lifetime import instants
from loyalty_earning.mixed_period import too_much
from loyalty_earning.one_sum import (
    Judging,
    is_uncut,
    is_what_its_sum_earns,
    judging,
    summed_around,
)
from loyalty_earning.periods import Measure
from loyalty_earning.running_sums import sum_name, summing
from loyalty_earning.terms import Terms
from loyalty_earning.unit_places import unit_places
from loyalty_earning.uses import owed


def recalled_from(config: EarningConfig, fact: PurchaseReversed) -> Iterator[BurnWant]:
    units = {on.unit for on in config.carrying.values()}
    for rule in config.rules:
        if rule.over is not None:
            units |= {rule.unit} if rule.unit else {*config.units}
            units |= {also.unit for also in rule.also}
    for unit in sorted(units):
        yield BurnWant(unit=unit)


def settle_up(config: EarningConfig, fact: PurchaseReversed, view: View) -> Iterator[Effect]:
    """Take back what was carried over of what came back, and let each period's points be what is
    left of its sum earns."""
    back = view.came_back
    if back is None:
        return
    view = with_defaults(config.choices, view)  # a lifetime may ask for them
    if (program := view.setup.program(view.program)) is None:
        return
    version = program.at(back.at)
    for one, on in _carrying(config, version):
        yield from _carried(one, on, fact, back, view)
    for rule in _given_by(back, view):
        if (here := judging(version, rule)) is None:
            continue
        if (summed := summed_around(rule, program, back.at, view.zone)) is None:
            continue  # the shares go back, and no more than was given
        period, around = summed
        if is_what_its_sum_earns(here, around) and _is_kept(here.rule, back, view):
            yield from _summed(here.config, here.rule, fact, back, view)
        elif any(map(is_uncut, around)) and (bought := back.bought(*period)) is not None:
            yield from _anew(here, too_much(rule, bought, program, view), fact, view)


def _carrying(
    config: EarningConfig, then: ProgramVersion | None
) -> Iterator[tuple[EarningConfig, CapOn]]:
    """What carries over now, and what only did when the goods were bought."""
    for on in config.carrying.values():
        yield config, on
    if then is not None and isinstance(then.config, EarningConfig):
        for name, on in then.config.carrying.items():
            if name not in config.carrying:
                yield then.config, on


def _given_by(back: CameBack, view: View) -> Iterator[str]:
    """The program's rules that gave something for what came back, or whose sums it went into."""
    grants = back.before[0][1] if back.before else ()
    yield from dict.fromkeys(one.rule for one in grants if one.program == view.program)


def _is_kept(rule: EarningRule, back: CameBack, view: View) -> bool:
    """Whether the version that is in force now keeps the sum."""
    purchase = back.before[0][0]
    if not isinstance(purchase, PurchaseRecorded) or rule.over is None:
        return False
    return sum_name(rule, rule.over, purchase.currency) in view.counters


def _anew(
    here: Judging, beside: Mapping[str, int], fact: PurchaseReversed, view: View
) -> Iterator[Effect]:
    """What a period that was judged anew has beside what it earns."""
    config, rule = here
    also = {one.unit: one.terms for one in rule.also}
    for unit, more in beside.items():
        terms = also.get(unit, rule.terms or config.terms)
        yield from _settled(rule, unit, more, terms, fact, view)


def _carried(
    config: EarningConfig, on: CapOn, fact: PurchaseReversed, back: CameBack, view: View
) -> Iterator[Recall]:
    """What was given later of what would not have been cut: more is given than is owed.

    The next period gave it, as far as anybody can say; one after it counts it all the same.
    """
    less = _difference(owed(on), back, view)
    too_much = min(less, less - back.counters[on.owed])
    if too_much > 0:
        rule = on.shown_by(config.rules)
        yield Recall(
            unit=on.unit, amount=too_much, rule=on.carried, label=f"{rule.label}, carried over",
            given_at=min(on.next_period(back.at, view.zone), fact.occurred_at),
            accounting_class=rule.accounting_class,
            take_back=(rule.terms or config.terms).take_back,
        )  # fmt: skip


def _summed(
    config: EarningConfig, rule: EarningRule, fact: PurchaseReversed, back: CameBack, view: View
) -> Iterator[Effect]:
    purchase = back.before[0][0]
    if not isinstance(purchase, PurchaseRecorded):
        return
    unit = config.unit_of(rule, purchase.currency)
    if unit is None or _granted(back.before, rule, unit, view) is None:
        return
    per, over = rule.per_in(purchase.currency), rule.over
    assert over is not None
    if per is None:
        return
    total = back.counters[sum_name(rule, over, purchase.currency)]
    places = unit_places(view, unit)
    less = _difference(summing(rule, purchase.currency), back, view)
    due = points_of_sum(rule, total, per, places) - points_of_sum(rule, total - less, per, places)
    more = due - _taken(back, rule, unit, view)
    yield from _settled(rule, unit, more, rule.terms or config.terms, fact, view)
    for also in rule.also:
        factor = unit_places(view, also.unit) - places
        if factor >= 0:
            more = due * 10**factor - _taken(back, rule, also.unit, view)
            yield from _settled(rule, also.unit, more, also.terms, fact, view)


def _settled(
    rule: EarningRule, unit: str, more: int, terms: Terms, fact: PurchaseReversed, view: View
) -> Iterator[Effect]:
    """So much more is due back than the shares took; less than nothing: they took too much.

    It is counted where the shares are, at the purchase's instant.
    """
    at = None if view.came_back is None else view.came_back.at
    if more > 0:
        yield Recall(
            unit=unit, amount=more, rule=rule.id, label=rule.label, given_at=at,
            accounting_class=rule.accounting_class, take_back=terms.take_back,
        )  # fmt: skip
    elif more < 0:
        when = instants(terms, fact.occurred_at, view)
        yield Grant(
            unit=unit, wanted=-more, granted=-more, rule=rule.id, label=rule.label,
            accounting_class=rule.accounting_class, available_at=when.available_at,
            settles_at=when.settles_at, expires_at=when.expires_at, take_back=terms.take_back,
            given_at=at,
        )  # fmt: skip


def _difference(measure: Measure, back: CameBack, view: View) -> int:
    """By how much a counter falls with the return."""
    before, left = (
        sum(measure(fact, grants, view.program) for fact, grants in measured)
        for measured in (back.before, back.left)
    )
    return before - left


def _taken(back: CameBack, rule: EarningRule, unit: str, view: View) -> int:
    """What the shares of the lines take back."""
    before, left = (_granted(one, rule, unit, view) for one in (back.before, back.left))
    return sum(one.granted * sign for one, sign in ((before, 1), (left, -1)) if one is not None)


def _granted(measured: Measured, rule: EarningRule, unit: str, view: View) -> GrantView | None:
    grants: Sequence[GrantView] = measured[0][1] if measured else ()
    for one in grants:
        if (one.program, one.rule, one.unit) == (view.program, rule.id, unit):
            return one
    return None
