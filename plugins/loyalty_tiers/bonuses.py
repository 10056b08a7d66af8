"""What a tier earns on top: bonuses on what other programs grant, as grants of their own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from loyalty.effects import Grant
from loyalty.explained import Explained
from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.view import Stage, View
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.explaining import explain as explained
from loyalty_earning.rules.capping import cap as capped
from loyalty_earning.rules.promoting import promote
from loyalty_tiers.config import TiersConfig

OTHER_TIER = "OTHER_TIER"
"""The bonus is another tier's."""


def earn(
    config: TiersConfig, fact: PurchaseRecorded | ActivityRecorded, view: View
) -> Iterator[Grant]:
    """The bonuses of the tier that the member had before this."""
    of_tier = config.bonuses_of.get(held(view))
    if of_tier is not None:
        yield from promote(of_tier, fact, view)


def cap(
    config: TiersConfig, fact: PurchaseRecorded | ActivityRecorded, view: View
) -> Iterable[Grant]:
    return capped(config.bonuses, fact, view) if config.bonuses else ()


def held(view: View) -> str:
    """The member's tier on this ladder; "" for none."""
    trait = view.traits.get(f"{view.program}.tier")
    return "" if trait is None else trait.value


def explain(config: TiersConfig, fact: Fact, view: View) -> Iterator[Explained]:
    """Every bonus of every tier: those of the member's are judged once more."""
    if not isinstance(fact, PurchaseRecorded | ActivityRecorded) or config.bonuses is None:
        return
    tier = held(view)
    mine = {}
    if (of_tier := config.bonuses_of.get(tier)) is not None:
        mine = {one.rule: one for one in explained(of_tier, fact, view)}
    for step in config.tiers:
        for rule in step.bonuses:
            if step.id == tier:
                if rule.id in mine:
                    yield mine[rule.id]
            elif _looks_at(rule, fact):
                yield _of_another(rule, step.label, config, tier)


def _of_another(rule: EarningRule, label: str, config: TiersConfig, tier: str) -> Explained:
    mine = config.by_id.get(tier)
    has = f"the member's tier is {mine.label}" if mine is not None else "the member has no tier"
    told = Explained(
        rule=rule.id, label=rule.label, unit=rule.unit or "", stage=Stage.BONUS,
        accounting_class=rule.accounting_class,
    )  # fmt: skip
    return replace(
        told, reason=OTHER_TIER, message=f"it is for {label}, and {has}", part="bonuses",
        values={"tier": tier},
    )  # fmt: skip


def _looks_at(rule: EarningRule, fact: Fact) -> bool:
    if isinstance(fact, ActivityRecorded):
        return fact.type in rule.activities
    return not rule.activities


def has_bonuses(config: TiersConfig) -> bool:
    return config.bonuses is not None


def has_caps(config: TiersConfig) -> bool:
    return config.bonuses is not None and bool(config.bonuses.caps_on)


def traits(config: TiersConfig) -> frozenset[str]:
    more = frozenset() if config.bonuses is None else config.bonuses.traits
    return more | {".tier"}
