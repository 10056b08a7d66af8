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
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.granting import grants_of
from loyalty_earning.judging import Judged, Occasion, Reason, judge, refused
from loyalty_earning.why import in_words, part_of

Judge = Callable[[EarningRule], Judged]


def explain(config: EarningConfig, fact: Fact, view: View) -> Iterator[Explained]:
    """Every rule that looks at such a fact, in the config's order."""
    if not isinstance(fact, PurchaseRecorded | ActivityRecorded):
        return
    occasion = Occasion(config, fact, replace(view, grants=_before_promotions(view)))
    judged = {one.rule.id: one for one in [*_base(occasion), *_promotions(occasion)]}
    for rule in config.rules:
        if rule.id in judged:
            yield _explained(occasion, judged[rule.id])


def _before_promotions(view: View) -> Sequence[GrantView]:
    """What promotions of this program were shown: not what they gave themselves."""
    return [
        one
        for one in view.grants
        if one.stage is Stage.BASE or (one.stage is Stage.BONUS and one.program != view.program)
    ]


def _base(occasion: Occasion) -> Iterator[Judged]:
    rules = occasion.config.base_rules(occasion.subject)
    yield from combined(occasion.config, rules, _again(lambda rule: judge(rule, occasion)))


def _promotions(occasion: Occasion) -> Iterator[Judged]:
    rules, basis = occasion.config.promotions(occasion.subject), Basis(occasion.view)

    def judged_by(rule: EarningRule) -> Judged:
        return judge(rule, occasion) if rule.bonus is None else judge_bonus(rule, occasion, basis)

    for judged in combined(occasion.config, rules, _again(judged_by)):
        for grant in grants_of(occasion, judged):
            basis.add(grant)
        yield judged


def _again(judge: Judge) -> Judge:
    """Judging from a decision, which does not keep everything."""

    def judged(rule: EarningRule) -> Judged:
        try:
            return judge(rule)
        except NotKept as missing:
            return refused(rule, Reason.NOT_KEPT, {"missing": str(missing)})

    return judged


def _explained(occasion: Occasion, judged: Judged) -> Explained:
    rule, reason = judged.rule, judged.reason
    told = Explained(
        rule=rule.id,
        label=rule.label,
        unit=occasion.config.unit_of(rule),
        accounting_class=rule.accounting_class,
        stage=Stage.BONUS if rule.is_promotion else Stage.BASE,
        fired=reason is None,
    )
    if reason is None:
        return told
    return replace(
        told, reason=reason.value, message=in_words(occasion, judged),
        part=part_of(judged), values=_values(judged),
    )  # fmt: skip


def _values(judged: Judged) -> Mapping[str, Any]:
    return judged.verdict.values if judged.verdict is not None else judged.inputs
