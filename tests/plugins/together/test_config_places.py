"""What does not fit between parts of a config is told where it stands in what was written, and
under the name of what it is about."""

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
GOLDEN: dict[str, Any] = {**BONUS, "unit": "points"}
METRIC = {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}
NOT_LISTED = "which choices does not list"


def points(*rules: dict[str, Any], **keys: Any) -> tuple[str, dict[str, Any]]:
    return "points", {"unit": "points", "rules": list(rules), **keys}


def bank(*rules: dict[str, Any], **keys: Any) -> tuple[str, dict[str, Any]]:
    return "cashback", {"unit": "USD", "currency": "USD", "rules": list(rules), **keys}


def tiers(*bonuses: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Of the second of two tiers."""
    gold = {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "100"}}]}
    basic = {"id": "basic", "label": "Basic", "bonuses": [{**GOLDEN, "id": "first"}]}
    return "tiers", {"metrics": [METRIC], "tiers": [basic, {**gold, "bonuses": list(bonuses)}]}


def twice(unit: str) -> list[dict[str, str]]:
    return [{"unit": unit}, {"unit": unit}]


PLACES = [
    (points(RULE, {**BONUS, "bonus": {"factor": "2", "rules": ["bose"]}}),
     "rules.1.bonus.rules.0",
     "the bonus double names bose, which is no rule here: did you mean base?"),
    (points(RULE, {**BONUS, "also": twice("miles")}),
     "rules.1.also.1.unit",
     "the bonus double gives miles twice: also names other units, each once"),
    (points(RULE, {**RULE, "id": "other", "percent": "1", "points": "0", "per": None}),
     "rules.1.percent", "the rule other has a percentage: give the currency of the unit"),
    (points(RULE, {**BONUS, "include": {"choice": "fun"}}),
     "rules.1.include.choice", f"the bonus double names the choice fun, {NOT_LISTED}"),
    (points({**RULE, "rates": [{"skus": ["a"], "points": "2"}, {"choice": "fun", "points": "3"}]}),
     "rules.0.rates.1.choice", f"the rule base names the choice fun, {NOT_LISTED}"),
    (points({**RULE, "when": 'choice.fun == "x"'}),
     "rules.0.when", f"the rule base asks for choice.fun, {NOT_LISTED}"),
    (points({**RULE, "exclude": {"choice": "fun"}},
            choices=[{"id": "fun", "label": "Fun", "options": [{"id": "a", "label": "A"}]}]),
     "rules.0.exclude.choice",
     "the rule base picks lines by fun, of which no option has categories"),
    (points({**BONUS, "group": "extras"}, groups=[{"id": "g"}, {"id": "extra"}]),
     "rules.0.group",
     "the bonus double is in the group extras, which groups does not list: did you mean extra?"),
    (points(RULE, groups=[{"id": "g"}, {"id": "g"}]),
     "groups.1.id", "the id g is used before"),
    (points({**RULE, "group": "g"}, {**BONUS, "group": "g"}, groups=[{"id": "g"}]),
     "rules.1", "the group g has both promotions and other rules"),
    (bank({**RULE, "per": {"CHF": "1.00"}}),
     "rules.0.per.CHF", "the rule base names CHF, which is no currency of the program"),
    (bank(RULE, {**BONUS, "minimum_purchase": {"CHF": "1.00"}}), "rules.1.minimum_purchase.CHF",
     "the bonus double names CHF, which is no currency of the program"),
    (bank(RULE, {**BONUS, "also": [{"unit": "EUR"}]},
          other_currencies=[{"currency": "EUR", "unit": "EUR"}]),
     "rules.1.also.0.unit", "the bonus double gives EUR twice: also names other units"),
    (tiers(GOLDEN, GOLDEN), "tiers.1.bonuses.1.id",
     "the id double is used before: they differ in a ladder"),
    (tiers({**RULE, "unit": "points"}), "tiers.1.bonuses.0",
     "base needs `bonus`: a tier earns on what others grant"),
    (tiers(BONUS), "tiers.1.bonuses.0", "double needs `unit`: which one is it a bonus of?"),
    (tiers({**GOLDEN, "group": "g"}),
     "tiers.1.bonuses.0.group", "double stands for itself: leave group out"),
    (tiers({**GOLDEN, "include": {"choice": "fun"}}),
     "tiers.1.bonuses.0", "double names a choice, which a ladder has none of"),
    (tiers({**GOLDEN, "bonus": {"factor": "2", "rules": ["base"]}}),
     "tiers.1.bonuses.0.bonus.rules",
     "double: `rules` of a bonus are rules of its own program, which a ladder has none of"),
    (tiers({**GOLDEN, "caps": [{"points": "9", "period": "day", "carry_over": True}]}),
     "tiers.1.bonuses.0.caps", "double: nothing is carried over here"),
    # These were accepted, and were a fault at each purchase.
    (tiers(GOLDEN, {**GOLDEN, "id": "more", "also": twice("miles")}),
     "tiers.1.bonuses.1.also.1.unit",
     "the bonus more gives miles twice: also names other units, each once"),
    (tiers({**GOLDEN, "also": [{"unit": "points"}]}), "tiers.1.bonuses.0.also.0.unit",
     "the bonus double gives points twice: also names other units, each once"),
    (tiers({**GOLDEN, "percent": "0"}), "tiers.1.bonuses.0.percent",
     "the bonus double has a percentage: give the currency of the unit"),
    (tiers({**GOLDEN, "when": 'choice.fun == "x"'}), "tiers.1.bonuses.0.when",
     f"the bonus double asks for choice.fun, {NOT_LISTED}"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path", "text"), PLACES, ids=[place[1] for place in PLACES])
def test_a_fault_is_told_where_it_stands(
    given: tuple[str, dict[str, Any]], path: str, text: str
) -> None:
    with pytest.raises(Refused) as refused:
        CONFIGS.check_draft(*given)
    assert refused.value.code == Code.BAD_CONFIG
    assert refused.value.details["errors"] == [{"field": f"config.{path}", "message": text}]


def test_what_fits_is_accepted() -> None:
    kind, config = tiers({**GOLDEN, "also": [{"unit": "miles"}], "when": "purchase.quantity > 1.0"})
    assert CONFIGS.check_draft(kind, config).plain == config
