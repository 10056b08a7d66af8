"""The config a tenant writes: what it refuses and where, and the schema it publishes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.plugin import Plugin
from loyalty_points.config import PointsConfig
from loyalty_points.plugin import plugin

GOOD: dict[str, Any] = {
    "unit": "points",
    "rules": [
        {
            "id": "spend",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
            "kinds": ["PRODUCT"],
            "categories": [{"category": "coffee", "points": "2"}],
            "exclude": {"skus": ["GIFT-1"]},
        }
    ],
    "terms": {"pending_days": 14, "lifetime": {"span": "P12M", "ends": "month"}},
    "redemption": {"minimum": "100"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    config = deepcopy(GOOD)
    *parents, key = path.split(".")
    place: Any = config
    for parent in parents:
        place = place[int(parent)] if parent.isdigit() else place.setdefault(parent, {})
    place[int(key) if key.isdigit() else key] = value
    return config


def test_a_good_config_survives_the_round_trip_through_json() -> None:
    config = PointsConfig.model_validate(GOOD)
    assert PointsConfig.model_validate_json(config.model_dump_json()) == config
    assert config.redemption.hold_for == timedelta(minutes=15)
    assert json.loads(config.model_dump_json())["redemption"]["hold_for"] == "PT15M"


@pytest.mark.parametrize(
    ("terms", "where", "message"),
    [
        ({"usable_from": "2026-12-05", "usable_through": "2026-12-04"}, "usable_through",
         "lies before usable_from"),
        ({"usable_from": "2026-12-05", "pending_until": "activation"}, "usable_from",
         "stands instead of pending_days and pending_until"),
        ({"usable_through": "2026-12-05", "lifetime": {"span": "P1M"}}, "lifetime",
         "does not go beside usable_through"),
        ({"usable_from": "2026-12-05", "lifetime": {"span": "P1M"}}, "lifetime",
         "could end before usable_from"),
    ],
)  # fmt: skip
def test_days_of_use_do_not_go_with_everything(
    terms: dict[str, Any], where: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as refused:
        PointsConfig.model_validate(GOOD | {"terms": terms})
    (error,) = refused.value.errors()
    assert error["loc"] == ("terms", where)


@pytest.mark.parametrize("effective", [None, {"starts": "2026-11-20"}, {"ends": "2026-12-16"}])
def test_a_rule_does_not_outlive_the_days_of_its_points(effective: Any) -> None:
    rule = {**GOOD["rules"][0], "terms": {"usable_through": "2026-12-15"}}
    good = {**rule, "effective": {"ends": "2026-12-15"}}
    assert PointsConfig.model_validate({**GOOD, "rules": [good]})
    with pytest.raises(ValidationError, match="its points end with 2026-12-15: let the rule end"):
        PointsConfig.model_validate({**GOOD, "rules": [{**rule, "effective": effective}]})


def test_a_config_cannot_be_changed() -> None:
    config = PointsConfig.model_validate(GOOD)
    with pytest.raises(ValidationError, match="frozen"):
        config.unit = "stars"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("units", "points", "Extra inputs"),
        ("rules.0.point", "1", "Extra inputs"),
        ("terms.lifetime.months", 12, "Extra inputs"),
        ("redemption.reversible.grace", 3, "Extra inputs"),
        ("rules", [], "at least 1"),
        ("rules.0.id", "Spend!", "write a small letter"),
        ("rules.0.label", "", "at least 1"),
        ("rules.0.accounting_class", "GIFT", "MATERIAL_RIGHT"),
        ("rules.0.points", 1, "string in quotes"),
        ("rules.0.points", 0.1, "string in quotes"),
        ("rules.0.effective.starts", "01/02/2026", "write a day, such as 2026-12-31"),
        ("rules.0.effective.ends", "1767225600", "write a day, such as 2026-12-31"),
        ("rules.0.effective.ends", 2026, "write a day, such as 2026-12-31"),
        ("terms.usable_from", "2026-12-05", "stands instead of pending_days"),
        ("terms.usable_through", "2026-12-05", "would end points that wait"),
        ("rules.0.points", "-1", "plain decimal"),
        ("rules.0.points", "1e3", "plain decimal"),
        ("rules.0.points", "0.1234567", "plain decimal"),
        ("rules.0.points", "١", "plain decimal"),
        ("rules.0.per", {}, "at least 1"),
        ("rules.0.per", {"USD": "0.00"}, "USD must be more than 0"),
        ("rules.0.per", {"USD": "0.005"}, "USD has more than 2 decimal places"),
        ("rules.0.per", {"JPY": "0.5"}, "JPY has more than 0 decimal places"),
        ("rules.0.per.USD", 1, "string in quotes"),
        ("rules.0.base", "total", "'net'"),
        ("rules.0.kinds", [], "at least 1"),
        ("rules.0.kinds.0", "GOODS", None),
        ("rules.0.categories.0.category", "coffee/", "write a path such as grocery/coffee"),
        ("rules.0.categories", [{"category": "a", "points": "1"}] * 2, "same category twice"),
        ("rules.0.minimum_purchase", {"EUR": "1.00"}, "same currencies as per"),
        ("rules.0.rounding", "up", "'floor'"),
        ("rules.0.whole_steps", "yes", "boolean"),
        ("rules.0.exclude.skus.0", 7, None),
        ("terms.pending_days", "14", "integer"),
        ("terms.pending_days", -1, "greater"),
        ("terms.lifetime", {"span": "P14D"}, "longer than points are pending"),
        ("terms.lifetime.span", "12 months", "ISO 8601"),
        ("terms.lifetime.span", "P0D", "at least one day"),
        ("terms.lifetime.span", "P101Y", "at most 100 years"),
        ("terms.lifetime.ends", "week", "'exact'"),
        ("terms.take_back", "never", "'deficit'"),
        ("redemption.increment", "0.0", "more than 0"),
        ("redemption.hold_for", 900, "ISO 8601"),
        ("redemption.hold_for", "00:15:00", "ISO 8601"),
        ("redemption.hold_for", "P31D", "at most P30D"),
        ("redemption.hold_for", "PT0S", "more than nothing"),
        ("redemption.reversible.grace_days", 0, "greater"),
    ],
)
def test_a_mistake_is_reported_at_its_key(path: str, value: Any, message: str | None) -> None:
    with pytest.raises(ValidationError) as refused:
        PointsConfig.model_validate(changed(path, value))
    (error,) = refused.value.errors()
    assert ".".join(str(part) for part in error["loc"]) == path
    assert message is None or message in error["msg"]


@pytest.mark.parametrize(
    ("named", "key", "wrong", "path"),
    [
        ({"group": "g"}, "groups", [{"id": "g", "grants": "most"}], "groups.0.grants"),
        ({"include": {"choice": "c"}}, "choices", [{"id": "c", "label": "c", "options": []}],
         "choices.0.options"),
    ],
)  # fmt: skip
def test_what_is_wrong_itself_is_not_missed_by_the_rules_that_name_it(
    named: dict[str, Any], key: str, wrong: Any, path: str
) -> None:
    config = {**changed(key, wrong), "rules": [GOOD["rules"][0] | named]}
    with pytest.raises(ValidationError) as refused:
        PointsConfig.model_validate(config)
    assert [".".join(map(str, error["loc"])) for error in refused.value.errors()] == [path]


def test_what_does_not_fit_between_parts_is_reported_where_each_of_it_stands() -> None:
    spend = GOOD["rules"][0]
    config = GOOD | {
        "groups": [{"id": "activities"}, {"id": "first", "grants": "first"}],
        "activities": [{"type": "check_in", "label": "A visit"}],
        "rules": [
            spend | {"group": "activites", "also": [{"unit": "stars"}, {"unit": "points"}]},
            spend,
            {"id": "double", "label": "x2", "accounting_class": "MARKETING",
             "bonus": {"factor": "2", "rules": ["spent"]}, "group": "first"},
            {"id": "visit", "label": "A visit", "accounting_class": "MARKETING", "count": "visit",
             "points": "5", "activities": ["chek_in"]},
        ],
    }  # fmt: skip
    with pytest.raises(ValidationError) as refused:
        PointsConfig.model_validate(config)
    told = {".".join(map(str, one["loc"])): one["msg"] for one in refused.value.errors()}
    assert told == {
        "rules.0.group": "the rule spend is in the group activites, which groups does not list:"
        " did you mean activities?",
        "rules.0.also.1.unit": "the rule spend gives points twice: also names other units, each"
        " once",
        "rules.1.id": "the id spend is used before",
        "rules.2.bonus.rules.0": "the bonus double names spent, which is no rule here: did you"
        " mean spend?",
        "rules.2.priority": "the bonus double has no priority, by which the group first goes",
        "rules.3.activities.0": "the rule visit is about chek_in, which activities does not list:"
        " did you mean check_in?",
    }


def test_an_unknown_currency_is_reported_under_its_name() -> None:
    with pytest.raises(ValidationError) as refused:
        PointsConfig.model_validate(changed("rules.0.per.XQX", "1.00"))
    (error,) = refused.value.errors()
    assert error["loc"][:4] == ("rules", 0, "per", "XQX")
    assert error["msg"] == "is not an ISO 4217 currency code"


def test_a_rule_must_give_something() -> None:
    with pytest.raises(ValidationError, match="no rate gives any either"):
        PointsConfig.model_validate(
            changed("rules.0", {**GOOD["rules"][0], "points": "0", "categories": []})
        )
    only_coffee = changed("rules.0.points", "0")
    assert PointsConfig.model_validate(only_coffee).rules[0].points == "0"


def objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "PointsConfig", schema
    for name, part in schema["$defs"].items():
        if "properties" in part:
            yield name, part


def test_the_published_schema_describes_every_key_and_allows_no_other() -> None:
    schema = PointsConfig.model_json_schema()
    found = dict(objects(schema))
    assert {"PointsConfig", "EarningRule", "Selection", "Terms", "Redemption"} <= set(found)
    for name, part in found.items():
        assert part["additionalProperties"] is False, name
        assert part["description"], name
        for key, value in part["properties"].items():
            assert value.get("description"), f"{name}.{key}"
            assert ("maxItems" in value) == (value.get("type") == "array"), f"{name}.{key}"
    assert "pattern" in found["EarningRule"]["properties"]["points"]
    assert found["Redemption"]["properties"]["hold_for"]["format"] == "duration"
    assert schema["required"] == ["unit", "rules"]


def test_the_record_shows_what_the_plugin_contributes() -> None:
    assert isinstance(plugin, Plugin)
    assert (plugin.name, plugin.config) == ("points", PointsConfig)
    reacted_to = {reaction.fact.KIND for reaction in plugin.reactions}
    assert {"PurchaseRecorded", "ActivityRecorded", "Redeem"} <= reacted_to
