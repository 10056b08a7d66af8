"""A config that is wrong is refused with the path of the key at fault and the nearest known key."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from loyalty.errors import Code, Refused
from loyalty.plugin import Plugin
from loyalty_tenants.configs import CONFIG_BYTES_MAX, Configs


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Percent(Strict):
    type: Literal["percent"]
    basis_points: int


class Fixed(Strict):
    type: Literal["fixed"]
    amount: int


class Rule(Strict):
    id: str
    earn: Percent | Fixed = Field(discriminator="type")
    limits: dict[str, int] = Field(default_factory=dict)
    note: Percent | str | None = None


class Config(Strict):
    rules: list[Rule]
    lifetime_days: int | None = Field(default=365, gt=0)
    shown: Literal["always", "never"] = "always"


CONFIGS = Configs({"sample": Plugin(name="sample", config=Config, secrets=("webhook_secret",))})
GOOD: dict[str, Any] = {"id": "base", "earn": {"type": "percent", "basis_points": 100}}


def refusal_of(config: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        CONFIGS.check("sample", config)
    return refused.value


@pytest.mark.parametrize(
    ("config", "field", "message"),
    [
        ({"rulez": []}, "config.rulez", "did you mean 'rules'?"),
        ({"rules": [], "lifetimeDays": 1}, "config.lifetimeDays", "did you mean 'lifetime_days'?"),
        ({"rules": [], "zzz": 1}, "config.zzz", "known here are lifetime_days, rules, shown"),
        ({}, "config.rules", "is needed"),
        ({"rules": [GOOD, {"id": "x"}]}, "config.rules.1.earn", "is needed"),
        (
            {"rules": [{"id": "x", "earn": {"type": "percent", "basispoints": 1}}]},
            "config.rules.0.earn.basispoints",
            "did you mean 'basis_points'?",
        ),
        (
            {"rules": [{"id": "x", "earn": {"type": "fixed", "amount": 1, "amont": 2}}]},
            "config.rules.0.earn.amont",
            "did you mean 'amount'?",
        ),
        (
            {"rules": [{"id": "x", "earn": {"type": "fixed", "amount": "many"}}]},
            "config.rules.0.earn.amount",
            "valid integer",
        ),
        (
            {"rules": [{"id": "x", "earn": {"type": "gratis"}}]},
            "config.rules.0.earn",
            "'percent', 'fixed'",
        ),
        ({"rules": [], "shown": "ALWYS"}, "config.shown", "did you mean 'always'?"),
        ({"rules": [], "shown": "?"}, "config.shown", "must be 'always' or 'never'"),
        ({"rules": [{**GOOD, "id": 7}]}, "config.rules.0.id", "must be text: write it in quotes"),
        ({"rules": [{**GOOD, "limits": {"day": "x"}}]}, "config.rules.0.limits.day", "integer"),
        ({"rules": [{**GOOD, "note": 7}]}, "config.rules.0.note", "must be an object"),
        ({"rules": [], "lifetime_days": 0}, "config.lifetime_days", "greater than 0"),
        ({"rules": {}}, "config.rules", "must be a list"),
        ([], "config", "must be an object"),
        ("text", "config", "must be an object"),
        ({"rules": object()}, "config", "cannot be written as JSON"),
        ({"rules": [], "webhook_secret": 7}, "config.webhook_secret", "must be a text"),
    ],
)
def test_what_is_wrong_is_named(config: Any, field: str, message: str) -> None:
    refused = refusal_of(config)
    assert (refused.code, refused.field) == (Code.BAD_CONFIG, field)
    assert message in refused.message


def test_all_that_is_wrong_is_listed() -> None:
    refused = refusal_of({"rules": [{"id": "x"}, {"id": 1, "earn": GOOD["earn"]}]})
    listed = [each["field"] for each in refused.details["errors"]]
    assert listed == ["config.rules.0.earn", "config.rules.1.id"]


def test_a_config_may_not_be_huge() -> None:
    refused = refusal_of({"rules": [], "x": "y" * CONFIG_BYTES_MAX})
    assert refused.code is Code.LIMIT_EXCEEDED


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(Refused) as refused:
        CONFIGS.check("sampel", {})
    assert refused.value.field == "kind"
    assert "did you mean 'sample'?" in refused.value.message


def test_a_published_config_says_every_default() -> None:
    checked = CONFIGS.check("sample", {"rules": [GOOD]})
    assert CONFIGS.published("sample", checked)["lifetime_days"] == 365
    assert "lifetime_days" not in checked.plain


def test_a_secret_is_taken_out_and_marked_write_only() -> None:
    checked = CONFIGS.check("sample", {"rules": [], "webhook_secret": "hush"})
    assert checked.secrets == {"webhook_secret": "hush"}
    assert "webhook_secret" not in checked.plain
    assert "hush" not in repr(checked)
    assert CONFIGS.schema("sample")["properties"]["webhook_secret"]["writeOnly"] is True
