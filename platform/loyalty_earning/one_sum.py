"""Whether what a rule has given in a period is what the period's sum earns, and nothing else."""

from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.setup import Program
from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.periods import Period

CURVE = {
    "points", "percent", "rates", "categories", "whole_steps", "levels", "brackets", "rounding",
    "unit",
}  # fmt: skip


def is_what_its_sum_earns(
    rule: EarningRule, config: EarningConfig, program: Program, at: datetime, zone: ZoneInfo
) -> bool:
    """Whether it is in the period of an instant, in each version of the program in force there.

    One that reads the sum by another table, or cuts what it earns, gave something else.
    """
    assert rule.over is not None
    if rule.over.period is Period.ROLLING:  # each purchase has another sum
        return False
    since, before = rule.over.window(at, zone)
    return all(
        _is_as_in(rule, config, one.config)
        for one in program.within(since, before)
        if isinstance(one.config, EarningConfig)
    )


def _is_as_in(rule: EarningRule, config: EarningConfig, other: EarningConfig) -> bool:
    found = next((one for one in other.rules if one.id == rule.id), None)
    if found is None or (found.fingerprint, found.over) != (rule.fingerprint, rule.over):
        return True  # that adds nothing to this sum
    return _is_uncut(found, other) and (
        other is config
        or (other.units == config.units and _curve(found) == _curve(rule))
    )  # fmt: skip


def _is_uncut(rule: EarningRule, config: EarningConfig) -> bool:
    """Bounds and caps cut purchase by purchase, and what another rule of its group outbids is never
    given, though the sum goes on."""
    if rule.at_least is not None or rule.at_most is not None:
        return False
    if any(rule.id in on.rules for on in config.caps_on):
        return False
    return rule.group is None or config.groups_by_id[rule.group].grants is Grants.ALL


def _curve(rule: EarningRule) -> object:
    return rule.model_dump(include=CURVE), [also.unit for also in rule.also]
