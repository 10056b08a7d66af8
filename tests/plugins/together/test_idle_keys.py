"""Keys that do nothing beside the others: a draft that has one is refused, a stored one is read."""

from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty_app.installed import installed
from loyalty_tenants.configs import Configs

CONFIGS = Configs({plugin.name: plugin for plugin in installed()})
RULE: dict[str, Any] = {
    "id": "base", "label": "1 per dollar", "accounting_class": "MARKETING",
    "points": "1", "per": {"USD": "1.00"},
}  # fmt: skip
BONUS: dict[str, Any] = {
    "id": "double", "label": "Double", "accounting_class": "MARKETING", "bonus": {"factor": "2"},
}  # fmt: skip
VISIT = {key: RULE[key] for key in RULE if key != "per"} | {"count": "visit"}
GIVEN = {key: VISIT[key] for key in VISIT if key != "points"}
CAP = {"points": "100", "period": "month"}
BUDGET = {**CAP, "per": "program"}
FIRST = {"id": "offers", "grants": "first"}
PLAN: dict[str, Any] = {"id": "gold", "label": "Gold", "prices": [{"money": {"USD": "9.00"}}]}
PRIZE = {"odds": "a", "probability": "1", "prizes": [{"points": "5", "weight": "1"}]}
CHANCE = {key: BONUS[key] for key in BONUS if key != "bonus"} | {"chance": PRIZE}
LIFE = {"span": "P12M"}
NOTHING = {"purchases": False}
TIER: dict[str, Any] = {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "100"}}]}
METRIC = {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}
GOLDEN: dict[str, Any] = {**BONUS, "unit": "points"}
CHALLENGE: dict[str, Any] = {
    "id": "match", "label": "Match", "tier": "gold", "lasts": "P90D", "qualify": TIER["qualify"],
}  # fmt: skip
REWARD: dict[str, Any] = {"id": "thanks", "label": "Thanks", "unit": "points", "amount": "5"}
QUEST: dict[str, Any] = {"id": "quest", "label": "Quest", "challenge": "match"}


def points(*rules: dict[str, Any], **keys: Any) -> tuple[str, dict[str, Any]]:
    return "points", {"unit": "points", "rules": list(rules or [RULE]), **keys}


def bank(**keys: Any) -> tuple[str, dict[str, Any]]:
    return "cashback", {"unit": "USD", "currency": "USD", "rules": [RULE], **keys}


def tiers(tier: dict[str, Any] | None = None, **keys: Any) -> tuple[str, dict[str, Any]]:
    return "tiers", {"metrics": [METRIC], "tiers": [tier or TIER], **keys}


def referrals(**keys: Any) -> tuple[str, dict[str, Any]]:
    return "referrals", {"rewards": {"friend": [REWARD]}, **keys}


def club(plan: dict[str, Any] | None = None, **keys: Any) -> tuple[str, dict[str, Any]]:
    return "subscriptions", {"unit": "points", "plans": [plan or PLAN], **keys}


IDLE = [
    (points(budget_alarms=[80]), "budget_alarms", "per: program"),
    (points(budget_alarms=[80], caps=[CAP]), "budget_alarms", "per: program"),
    (points({**RULE, "minimum_lost": "recompute"}), "rules.0.minimum_lost", "minimum_purchase"),
    (points(RULE, {**BONUS, "bonus": {"factor": "2", "rules": ["double"]}}),
     "rules.1.bonus.rules.0", "no base"),
    (points(RULE, {**BONUS, "bonus": {"factor": "2", "of": "granted", "rules": ["later"]}},
            {**BONUS, "id": "later"}), "rules.1.bonus.rules.0", "before this one"),
    (points(RULE, {**BONUS, "id": "early", "group": "offers"},
            {**BONUS, "bonus": {"factor": "2", "of": "granted", "rules": ["early"]},
             "group": "offers"}, groups=[{"id": "offers"}]),
     "rules.2.bonus.rules.0", "no group with it"),
    (points(RULE, {**VISIT, "id": "check-in", "activities": ["check-in"]},
            {**BONUS, "bonus": {"factor": "2", "rules": ["check-in"]}}),
     "rules.2.bonus.rules.0", "different things"),
    (points({**RULE, "caps": [{**CAP, "in_units": [{"unit": "stars", "points": "5"}]}]}),
     "rules.0.caps.0.in_units.0.unit", "the cap counts points alone"),
    (points(caps=[{**CAP, "in_units": 2 * [{"unit": "points", "points": "5"}]}]),
     "caps.0.in_units.1.unit", "named before"),
    (points({**VISIT, "per_units": "10", "whole_steps": True}),
     "rules.0.whole_steps", "no visit is a full step of 10"),
    (points({**GIVEN, "levels": [{"from": "10", "points": "50"}]}), "rules.0.levels", "give over"),
    (points({**GIVEN, "brackets": [{"from": "1", "points": "5"}], "promotion": True}),
     "rules.0.brackets", "gives nothing by them"),
    (points(terms={"lifetime": {**LIFE, "extended_by": NOTHING}}),
     "terms.lifetime.extended_by", "extends nothing"),
    (points({**RULE, "also": [
        {"unit": "stars", "terms": {"lifetime": {**LIFE, "extended_by": NOTHING}}}]}),
     "rules.0.also.0.terms.lifetime.extended_by", "extends nothing"),
    (points(redemption={"reversible": {"allowed": False, "grace_days": 3}}),
     "redemption.reversible.grace_days", "allowed is false"),
    (bank(payout={"checkout": {"reversible": {"allowed": False, "grace_days": 3}}}),
     "payout.checkout.reversible.grace_days", "allowed is false"),
    (bank(payout={"grace_days": 3}), "payout.grace_days", "nothing is paid out"),
    (bank(budget_alarms=[80]), "budget_alarms", "per: program"),
    (tiers(validity={"lasts": "forever", "periods": 2}), "validity.periods", "lasts: periods"),
    (tiers(validity={"ends": "month"}), "validity.ends", "lasts: span"),
    (tiers(challenges=[{**CHALLENGE, "validity": {"ends": "month"}}]),
     "challenges.0.validity.ends", "lasts: span"),
    (tiers({**TIER, "bonuses": [{**GOLDEN, "minimum_lost": "recompute"}]}),
     "tiers.0.bonuses.0.minimum_lost", "minimum_purchase"),
    (club(budget_alarms=[80]), "budget_alarms", "per: program"),
]  # fmt: skip

BUSY = [
    points(budget_alarms=[80], caps=[BUDGET]),
    points({**RULE, "caps": [BUDGET]}, budget_alarms=[80]),
    points({**RULE, "minimum_lost": "recompute", "minimum_purchase": {"USD": "9.00"}}),
    points({**RULE, "priority": 1, "group": "offers"}, groups=[FIRST]),
    points({**VISIT, "per_units": "2"}),
    points({**VISIT, "per_units": "10", "whole_steps": True, "over": {"period": "month"}}),
    points({**VISIT, "per_units": "1", "whole_steps": True}),
    points({**GIVEN, "levels": [{"from": "1", "points": "50"}]}),
    points({**GIVEN, "levels": [{"from": "9", "points": "5"}], "over": {"period": "lifetime"}}),
    points({**GIVEN, "brackets": [{"from": "0.9", "points": "5"}]}),
    points({**RULE, "base": "gross"}),
    points({**CHANCE, "minimum_purchase": {"USD": "9.00"}, "base": "gross"}),
    points(RULE, {**BONUS, "id": "early"},
           {**BONUS, "bonus": {"factor": "2", "of": "granted", "rules": ["early", "base"]}}),
    points({**RULE, "priority": 1, "group": "offers"}, groups=[{"id": "offers"}]),
    points(groups=[{"id": "offers", "caps": [CAP]}]),
    points({**VISIT, "activities": ["visit"], "kinds": ["TIP"], "base": "gross"}),
    points(RULE, {**BONUS, "per": {"USD": "1.00"}}, max_rewards_per_order=2),
    points({**RULE, "unit": "stars",
            "caps": [{**CAP, "in_units": [{"unit": "stars", "points": "5"}]}]}),
    points(terms={"lifetime": {**LIFE, "extended_by": {**NOTHING, "activities": ["visit"]}}}),
    bank(payout={"grace_days": 3, "on_request": {}}),
    bank(payout={"grace_days": None}),
    tiers(validity={"lasts": "span", "span": "P12M", "ends": "month"}),
    referrals(rewards={"referrer": [QUEST], "friend": [{**REWARD, "lifetime": LIFE}]}),
    club({**PLAN, "period": "P1M", "renews_at": "started"}, dunning={"grace_days": 0}),
    club(budget_alarms=[80], caps=[BUDGET]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path", "what"), IDLE)
def test_a_draft_with_a_key_that_does_nothing_is_refused(
    given: tuple[str, dict[str, Any]], path: str, what: str
) -> None:
    kind, config = given
    with pytest.raises(Refused, match=what) as refused:
        CONFIGS.check_draft(kind, config)
    assert (refused.value.code, refused.value.field) == (Code.BAD_CONFIG, f"config.{path}")
    assert len(refused.value.details["errors"]) == 1

    stored = CONFIGS.published(kind, CONFIGS.check(kind, config))
    assert CONFIGS.parse(kind, stored), "what is in force is read as it was"
    with pytest.raises(Refused) as again:  # and with all defaults written out it is told the same
        CONFIGS.check_draft(kind, stored)
    assert again.value.details == refused.value.details


@pytest.mark.parametrize(("kind", "config"), BUSY)
def test_a_key_that_does_something_or_promises_nothing_is_taken(
    kind: str, config: dict[str, Any]
) -> None:
    checked = CONFIGS.check_draft(kind, config)
    CONFIGS.check_draft(kind, CONFIGS.published(kind, checked))


def test_templates_have_no_idle_keys() -> None:
    for template in CONFIGS.templates.values():
        CONFIGS.check_draft(template.kind, template.config)
