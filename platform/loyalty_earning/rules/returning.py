"""What a return changes beyond the shares of its lines.

A grant goes back by its shares, and the kernel sees to that. But what a period earns is a function
of its whole sum, and what a cap cut may have been given since: of both more or less may be due than
the shares say.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from loyalty.effects import Effect, Recall
from loyalty.facts import PurchaseRecorded, PurchaseReversed
from loyalty.plugin import BurnWant
from loyalty.setup import Program, ProgramVersion
from loyalty.view import Bought, CameBack, View
from loyalty_earning.bonuses_settled import multiplies, settled_bonuses
from loyalty_earning.caps import CapOn
from loyalty_earning.choices import with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.curve import points_of_sum
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.judged_anew import Held, judged_anew
from loyalty_earning.lifetime import may_have_ended
from loyalty_earning.one_sum import (
    Judging,
    is_uncut,
    is_what_its_sum_earns,
    judging,
    summed_around,
)
from loyalty_earning.running_sums import sum_name, summing
from loyalty_earning.settlement import (
    Room,
    Settlement,
    difference,
    granted,
    of_cut,
    of_one_sum,
    of_uncut,
    terms_of,
)
from loyalty_earning.unit_places import unit_places
from loyalty_earning.uses import owed
from loyalty_earning.uses_settled import is_limited, settled_uses

Span = tuple[datetime, datetime]


def recalled_from(config: EarningConfig, fact: PurchaseReversed) -> Iterator[BurnWant]:
    units = {on.unit for on in config.carrying.values()}
    for rule in config.rules:
        if rule.over is not None:
            units |= {rule.unit} if rule.unit else {*config.units}
            units |= {also.unit for also in rule.also}
    for unit in sorted(units):
        yield BurnWant(unit=unit)


def rules_asked_for(config: EarningConfig) -> Iterator[str]:
    """The rules of a single version whose purchases a return asks for: what may be cut."""
    for rule in config.rules:
        if rule.over is not None and not is_uncut(Judging(config, rule)):
            yield rule.id


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
    room, settled, spans = Room(back, view), list[Settlement](), list[Span]()
    for rule in _given_by(back, view):
        if (here := judging(version, rule)) is not None:
            settled += _of(here, program, room, fact.occurred_at, view, spans)
    bought: Sequence[Bought] = ()
    if spans:
        bought = back.bought(min(s[0] for s in spans), max(s[1] for s in spans)) or ()
        settled += settled_bonuses(settled, bought, program, back, view)
    for one, on in _carrying(config, version):
        less = sum(settlement.less_owed(on) for settlement in settled)
        yield from _carried(one, on, less, fact, back, view)
    for settlement in settled:
        yield from settlement.effects(back, view)
    yield from settled_uses(settled, bought, program, back, view)


def _of(
    here: Judging, program: Program, room: Room, at: datetime, view: View, spans: list[Span]
) -> Iterator[Settlement]:
    """What is settled of a rule by a return at an instant, in each of its units; `spans` are those
    in which more goes by it: bonuses, or how often it gave."""
    back, rule = view.came_back, here.rule.id
    assert back is not None
    if (summed := summed_around(rule, program, back.at, view.zone)) is None:
        return  # the shares go back, and no more than was given
    period, around = summed
    if leads_on := multiplies(around) or is_limited(rule, program):
        spans.append(period)
    if is_what_its_sum_earns(here, around) and _is_kept(here.rule, back, view):
        settled = list(_summed(here, back, view))
        asked = (_is_asked_when(one, around, (period[0], at), view) for one in settled)
        if leads_on or any(asked):
            settled = _told_when(settled, back.bought(*period), program, view)
        yield from settled
    elif (bought := back.bought(*period)) is not None:
        for unit, held in judged_anew(rule, bought, program, view).items():
            if all(map(is_uncut, around)):
                yield of_uncut(here, unit, held)
            else:
                yield of_cut(here, unit, held, room, back, view)


def _is_asked_when(one: Settlement, around: Iterable[Judging], span: Span, view: View) -> bool:
    """Whether it makes a difference to what is given or taken when it was earned: by the terms of
    what is given, because what is taken may have ended by now, or because another program counts
    it by day, such as a ladder of tiers."""
    terms = [terms for judged in around for terms in terms_of(judged)]
    left = view.member is not None and view.member.status == "CLOSED"
    if left or any(may_have_ended(one, *span, view.zone) for one in terms):
        return True
    if one.more <= 0:
        return one.more < 0 and not all(one.are_of_no_day for one in terms)
    if len(view.setup.programs) > 1:
        return True
    rule = f"{view.program}/{one.here.rule.id}"
    there = sum(lot.remaining for lot in view.lots.get(one.unit, ()) if lot.rule == rule)
    return there < one.more


def _told_when(
    settled: Iterable[Settlement], bought: Sequence[Bought] | None, program: Program, view: View
) -> list[Settlement]:
    found = list[Settlement]()
    for one in settled:
        held = judged_anew(one.here.rule.id, bought or (), program, view).get(one.unit, Held())
        found.append(replace(one, stands=held.stands, beyond=held.beyond, ended=held.ended))
    return found


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


def _carried(
    config: EarningConfig, on: CapOn, settled: int, fact: PurchaseReversed, back: CameBack,
    view: View,
) -> Iterator[Recall]:  # fmt: skip
    """What was given later of what would not have been cut: more is given than is owed.

    The next periods gave it, as much of it as each might, as far as anybody can say. Beside what
    the shares say, so much less is owed as is `settled`.
    """
    less = difference(owed(on), back, view) + settled
    too_much = min(less, less - back.counters[on.owed])
    caps = [one for one in config.caps_on if (one.target, one.unit) == (on.target, on.unit)]
    carrying = [one for one in caps if one.cap.carry_over]
    soonest = min(carrying, key=lambda one: one.next_period(back.at, view.zone))
    at, most = back.at, max(soonest.most(unit_places(view, on.unit)), 1)
    while too_much > 0:
        at = soonest.next_period(at, view.zone)
        is_last = soonest.next_period(at, view.zone) > fact.occurred_at
        amount = too_much if is_last else min(too_much, most)
        too_much -= amount
        rule = on.shown_by(config.rules)
        yield Recall(
            unit=on.unit, amount=amount, rule=on.carried, label=f"{rule.label}, carried over",
            given_at=min(at, fact.occurred_at), accounting_class=rule.accounting_class,
            take_back=(rule.terms or config.terms).take_back,
        )  # fmt: skip


def _summed(here: Judging, back: CameBack, view: View) -> Iterator[Settlement]:
    config, rule = here
    purchase = back.before[0][0]
    if not isinstance(purchase, PurchaseRecorded):
        return
    unit = config.unit_of(rule, purchase.currency)
    if unit is None or granted(back.before, rule.id, unit, view) is None:
        return
    per, over = rule.per_in(purchase.currency), rule.over
    assert over is not None
    if per is None:
        return
    total = back.counters[sum_name(rule, over, purchase.currency)]
    places = unit_places(view, unit)
    less = difference(summing(rule, purchase.currency), back, view)
    due = points_of_sum(rule, total, per, places) - points_of_sum(rule, total - less, per, places)
    yield of_one_sum(here, unit, due, back, view)
    for also in rule.also:
        factor = unit_places(view, also.unit) - places
        if factor >= 0:
            yield of_one_sum(here, also.unit, due * 10**factor, back, view)
