"""A judgement against a rule, in plain words."""

from collections.abc import Callable, Mapping, Sequence

from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line
from loyalty.units import currency_places, format_minor
from loyalty_earning.counting import Fact, lines_of, towards_minimum
from loyalty_earning.cutting import Cut
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.judging import Judged, Occasion, Reason
from loyalty_earning.periods import Per, Period
from loyalty_earning.shortfall import in_this, less_than_a_part, shortfall

LINES_TOLD = 5

# The key of the rule's config that speaks against it.
PARTS: Mapping[Reason, str] = {
    Reason.NOT_IN_EFFECT: "effective",
    Reason.NOT_AT_THIS_TIME: "times",
    Reason.CURRENCY_NOT_RATED: "per",
    Reason.NOTHING_COUNTED: "kinds",
    Reason.MINIMUM_PURCHASE: "minimum_purchase",
    Reason.NOTHING_EARNED: "points",
    Reason.LIMIT_REACHED: "limits",
    Reason.NOT_DRAWN: "chance",
    Reason.BY_CHANCE: "chance",
    Reason.OUTBID: "group",
}


def part_of(occasion: Occasion, judged: Judged) -> str | None:
    """The part of the condition that was false, or the key of the config that speaks against it."""
    rule = judged.rule
    if judged.verdict is not None:
        return judged.verdict.failed
    if judged.reason is Reason.NOTHING_COUNTED:
        return "bonus" if rule.bonus else _what_picks(rule, occasion.fact)
    if judged.reason is Reason.NOTHING_EARNED and (table := _table_of(rule)) is not None:
        return table
    part = PARTS.get(judged.reason) if judged.reason else None
    return "percent" if part in ("per", "points") and rule.percent is not None else part


def _what_picks(rule: EarningRule, fact: Fact) -> str:
    """What left all out: the kinds of the lines, one of the lists, or how it was paid."""
    if lines_of(rule, fact):
        return "paid_with" if rule.paid_with is not None else "not_paid_with"
    if isinstance(fact, PurchaseRecorded):
        of_its_kinds = [line for line in fact.lines if line.kind in rule.kinds]
        if not of_its_kinds:
            return "kinds"
        if not any(rule.exclude.names(line) for line in of_its_kinds):
            return "include"
    return "include" if rule.exclude.is_empty else "exclude"


def _table_of(rule: EarningRule) -> str | None:
    """The key that says instead of a rate what is given."""
    if rule.bonus is not None:
        return "bonus"
    if rule.levels or rule.brackets:
        return "levels" if rule.levels else "brackets"
    return "whole_steps" if rule.whole_steps else None


def in_words(occasion: Occasion, judged: Judged) -> str:
    """Why the rule gives nothing."""
    if judged.verdict is not None:
        return judged.verdict.words()
    assert judged.reason is not None
    return WORDS[judged.reason](occasion, judged)


def cut_in_words(occasion: Occasion, cuts: Sequence[Cut]) -> str:
    """Which caps cut what the rule wanted, and what each of them had given before, to other rules
    of the same fact as well."""
    return "; ".join(_cut(occasion, cut) for cut in cuts)


def _cut(occasion: Occasion, cut: Cut) -> str:
    on, cap = cut.on, cut.on.cap
    places = occasion.places(on.unit)
    amount = format_minor(cut.amount, places)
    kind, _, name = on.target.partition(".")
    whose = {"rule": "its", "group": f"the group {name}'s", "program": "the program's"}[kind]
    what = "cap" if cap.per is Per.MEMBER else "budget for all members"
    told = f"{whose} {what} of {cap.most_often()} leaves {amount} out: {_given(occasion, cut)}"
    return f"{told}; what it cut is given later" if cap.carry_over else told


def _given(occasion: Occasion, cut: Cut) -> str:
    places, taken = occasion.places(cut.on.unit), cut.taken
    told = f"{format_minor(cut.given, places)} were given before"
    if not taken:
        return told
    others = sum(amount for _, amount in taken[LINES_TOLD:])
    each = [*taken[:LINES_TOLD], *([("others", others)] if others else ())]
    *some, last = (f"{format_minor(amount, places)} by {rule}" for rule, amount in each)
    listed = f"{', '.join(some)} and {last}" if some else last
    return f"{told}, {listed} for the same {'activity' if occasion.is_activity else 'purchase'}"


def _not_in_effect(occasion: Occasion, judged: Judged) -> str:
    return f"{judged.inputs['day']} is none of the days on which it is in effect"


def _not_at_this_time(occasion: Occasion, judged: Judged) -> str:
    at = occasion.fact.occurred_at.astimezone(occasion.view.zone)
    return f"{at:%A %H:%M} is none of its times"


def _not_rated(occasion: Occasion, judged: Judged) -> str:
    rated = ", ".join(sorted(judged.rule.per or occasion.config.currencies))
    return f"it has no rate for {occasion.currency}, only for {rated}"


def _nothing_counted(occasion: Occasion, judged: Judged) -> str:
    rule, fact = judged.rule, occasion.fact
    if rule.bonus is not None:
        return "nothing was given that it multiplies"
    if not isinstance(fact, PurchaseRecorded):
        return "the activity has nothing that it counts"
    mine = {line.id for line in lines_of(rule, fact)}
    if mine:
        return "nothing of it was paid in a way that counts"
    told = [f"line {line.id} {_left_out(rule, line)}" for line in fact.lines[:LINES_TOLD]]
    more = len(fact.lines) - LINES_TOLD
    return "no line counts: " + "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _left_out(rule: EarningRule, line: Line) -> str:
    if line.kind not in rule.kinds:
        return f"is of kind {line.kind}"
    return "is excluded" if rule.exclude.names(line) else "is not included"


def _below(occasion: Occasion, judged: Judged) -> str:
    least = judged.rule.minimum_minor.get(occasion.currency or "")
    if least is None:
        return f"its minimum names no amount in {occasion.currency}"
    places = currency_places(occasion.currency or "") or 0
    paid, of = occasion.paid(judged.rule)
    spent = sum(towards_minimum(judged.rule, occasion.counted(judged.rule)))
    come_to, minimum = format_minor(spent * paid // of, places), format_minor(least, places)
    currency = occasion.currency
    return f"the lines that count come to {come_to} {currency}, its minimum is {minimum} {currency}"


def _nothing_earned(occasion: Occasion, judged: Judged) -> str:
    if judged.rule.bonus is None:
        return shortfall(judged.rule, occasion)
    return f"{judged.inputs['amount']} that count earn {less_than_a_part(judged.rule)}"


def _limit_reached(occasion: Occasion, judged: Judged) -> str:
    given = judged.inputs
    whose = "the member" if given["per"] == "member" else "all members together"
    times = f"{given['times']} time{'s' if given['times'] != 1 else ''}"
    when = in_this(Period(given["period"]), given.get("days"))
    return f"it gave {times} {when} already, which is the limit of {whose}"


def _not_drawn(occasion: Occasion, judged: Judged) -> str:
    return f"the draw won nothing, at odds of {judged.inputs['probability']}"


def _by_chance(occasion: Occasion, judged: Judged) -> str:
    return f"luck decides, at odds of {judged.inputs['probability']}: a preview draws nothing"


def _outbid(occasion: Occasion, judged: Judged) -> str:
    told = f"{judged.inputs['by']} of the same group ({judged.rule.group}) gives instead"
    if (left := judged.inputs.get("left")) is None:
        return told
    places = occasion.places(occasion.unit_of(judged.rule))
    of = format_minor(judged.inputs["wanted"], places)
    return f"{told}: its own caps leave {format_minor(left, places)} of {of}"


def _not_kept(occasion: Occasion, judged: Judged) -> str:
    return f"it cannot be told any more: {judged.inputs['missing']}"


WORDS: Mapping[Reason, Callable[[Occasion, Judged], str]] = {
    Reason.NOT_IN_EFFECT: _not_in_effect,
    Reason.NOT_AT_THIS_TIME: _not_at_this_time,
    Reason.CURRENCY_NOT_RATED: _not_rated,
    Reason.NOTHING_COUNTED: _nothing_counted,
    Reason.MINIMUM_PURCHASE: _below,
    Reason.NOTHING_EARNED: _nothing_earned,
    Reason.LIMIT_REACHED: _limit_reached,
    Reason.NOT_DRAWN: _not_drawn,
    Reason.BY_CHANCE: _by_chance,
    Reason.OUTBID: _outbid,
    Reason.NOT_KEPT: _not_kept,
}
