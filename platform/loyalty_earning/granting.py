"""From a judgement to grants: in the rule's own unit, and in those that it gives also."""

from collections.abc import Mapping, Sequence

from loyalty.effects import Grant, Least
from loyalty.units import apportion
from loyalty_earning.counting import towards_minimum
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.judging import Judged, Occasion
from loyalty_earning.measures import MinimumLost
from loyalty_earning.reason import SAID
from loyalty_earning.terms import Terms


def grants_of(occasion: Occasion, judged: Judged) -> Sequence[Grant]:
    """What a rule gives, in its own unit, then in the others; a grant of nothing where the decision
    must keep that it was there."""
    if judged.reason is None:
        return _given(occasion, judged)
    if judged.reason in SAID or judged.counted:
        return (_nothing(judged, occasion.unit_of(judged.rule)),)
    return ()


def _given(occasion: Occasion, judged: Judged) -> list[Grant]:
    rule, unit = judged.rule, occasion.unit_of(judged.rule)
    terms = occasion.config.terms if rule.terms is None else rule.terms
    grants = [_grant(occasion, judged, unit, judged.parts, terms)]
    for also in rule.also:
        parts = _in_places(judged.parts, occasion.places(also.unit) - occasion.places(unit))
        grants.append(_grant(occasion, judged, also.unit, parts, also.terms))
    return grants


def _grant(
    occasion: Occasion, judged: Judged, unit: str, parts: Mapping[str, int], terms: Terms
) -> Grant:
    rule, wanted, cost = judged.rule, sum(parts.values()), None
    return Grant(  # by their places: so many names would take as long as all the rest
        unit, wanted, wanted, rule.id, rule.label, rule.accounting_class,
        None if occasion.is_activity else parts, *occasion.instants(terms), cost, terms.take_back,
        () if rule.minimum_lost is MinimumLost.KEEP else _while_left(occasion, rule),
        inputs=judged.inputs,
    )  # fmt: skip


def _while_left(occasion: Occasion, rule: EarningRule) -> tuple[Least, ...]:
    """What must stay of a purchase, where losing the minimum takes the points back."""
    if occasion.currency not in rule.minimum_minor:
        return ()
    found, (part, of) = occasion.counted(rule), occasion.paid(rule)
    spent = {
        line.id: amount * part
        for line, amount in zip(found.lines, towards_minimum(rule, found), strict=True)
    }
    return (Least(amount=rule.minimum_minor[occasion.currency] * of, of=spent),)


def _nothing(judged: Judged, unit: str) -> Grant:
    return Grant(
        unit=unit,
        wanted=0,
        granted=0,
        rule=judged.rule.id,
        label=judged.rule.label,
        accounting_class=judged.rule.accounting_class,
        cut_by=judged.reason,
        inputs=judged.inputs,
    )


def _in_places(parts: Mapping[str, int], more: int) -> Mapping[str, int]:
    """The same value in a unit of so many `more` decimal places, rounded down as a whole."""
    if more >= 0:
        return parts if more == 0 else {line: part * 10**more for line, part in parts.items()}
    shares = apportion(sum(parts.values()) // 10**-more, list(parts.values()))
    return dict(zip(parts, shares, strict=True))
