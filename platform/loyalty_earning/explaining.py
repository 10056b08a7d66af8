"""Why a rule gave what it gave, or nothing: the rules judged once more, and said in plain words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loyalty.explained import Explained
from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.kept import NotKept
from loyalty.view import GrantView, Stage, View
from loyalty_earning.bonuses import Basis, judge_bonus
from loyalty_earning.combining import combined
from loyalty_earning.config import EarningConfig
from loyalty_earning.cutting import Cut, left_of
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.granting import grants_of
from loyalty_earning.judging import Judged, Occasion, Reason, judge, refused
from loyalty_earning.unit_places import unit_places
from loyalty_earning.why import cut_in_words, in_words, part_of

Judge = Callable[[EarningRule], Judged]


def explain(config: EarningConfig, fact: Fact, view: View) -> Iterator[Explained]:
    """Every rule that looks at such a fact, in the config's order."""
    if not isinstance(fact, PurchaseRecorded | ActivityRecorded):
        return
    occasion = Occasion(config, fact, view)
    base = list(_base(occasion))
    basis = Basis(view._replace(grants=list(_shown_to_promotions(occasion, base))))
    judged = {one.rule.id: one for one in [*base, *_promotions(occasion, basis)]}
    cuts = _cuts(occasion)
    for rule in config.rules:
        if rule.id in judged:
            yield _explained(occasion, judged[rule.id], cuts.get(rule.id))


def _shown_to_promotions(occasion: Occasion, base: Sequence[Judged]) -> Iterator[GrantView]:
    """What others gave, and the base of this program as it was before any cap cut it."""
    program = occasion.view.program
    for one in occasion.view.grants:
        if one.program != program and one.stage in (Stage.BASE, Stage.BONUS):
            yield one
    for judged in base:
        for grant in grants_of(occasion, judged):
            lines = {"": grant.granted} if grant.lines is None else grant.lines
            yield GrantView(
                program=program, rule=grant.rule, unit=grant.unit, stage=Stage.BASE,
                wanted=grant.wanted, granted=grant.granted, lines=lines,
                accounting_class=grant.accounting_class,
            )  # fmt: skip


def _cuts(occasion: Occasion) -> dict[str, Sequence[Cut]]:
    """By rule what caps cut of what it gives in its own unit."""
    config, view = occasion.config, occasion.view
    mine = [
        one._replace(granted=one.wanted)
        for one in view.grants
        if one.program == view.program and one.wanted
    ]
    try:
        asked = left_of(config.caps_on, mine, view.counters, lambda unit: unit_places(view, unit))
    except (NotKept, LookupError):  # recorded when there were other caps, or another unit
        return {}
    units = {rule.id: occasion.unit_of(rule) for rule in config.rules}
    return {
        one.grant.rule: one.cuts
        for one in asked
        if one.cuts and units.get(one.grant.rule) == one.grant.unit
    }


def _base(occasion: Occasion) -> Iterator[Judged]:
    rules = occasion.config.base_rules(occasion.subject)
    judged_by = _again(lambda rule: judge(rule, occasion))
    yield from combined(occasion, rules, judged_by, _gave(occasion.view))


def _promotions(occasion: Occasion, basis: Basis) -> Iterator[Judged]:
    rules = occasion.config.promotions(occasion.subject)

    def judged_by(rule: EarningRule) -> Judged:
        return judge(rule, occasion) if rule.bonus is None else judge_bonus(rule, occasion, basis)

    for judged in combined(occasion, rules, _again(judged_by), _gave(occasion.view)):
        for grant in grants_of(occasion, judged):
            basis.add(grant)
        yield judged


def _gave(view: View) -> frozenset[str]:
    """The program's rules that gave something before any cap, as the decision says."""
    return frozenset(one.rule for one in view.grants if one.program == view.program and one.wanted)


def _again(judge: Judge) -> Judge:
    """Judging from a decision, which does not keep everything."""

    def judged(rule: EarningRule) -> Judged:
        try:
            return judge(rule)
        except NotKept as missing:
            return refused(rule, Reason.NOT_KEPT, {"missing": str(missing)})

    return judged


def _explained(occasion: Occasion, judged: Judged, cuts: Sequence[Cut] | None) -> Explained:
    rule, reason = judged.rule, judged.reason
    told = Explained(
        rule=rule.id,
        label=rule.label,
        unit=occasion.unit_of(rule),
        accounting_class=rule.accounting_class,
        stage=Stage.BONUS if rule.is_promotion else Stage.BASE,
        fired=reason is None,
    )
    if reason is None:
        return replace(told, message=cut_in_words(occasion, cuts) if cuts else None)
    return replace(
        told, reason=reason.value, message=in_words(occasion, judged),
        part=part_of(occasion, judged), values=_values(judged),
    )  # fmt: skip


def _values(judged: Judged) -> Mapping[str, Any]:
    return judged.verdict.values if judged.verdict is not None else judged.inputs
