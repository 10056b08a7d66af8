"""Whether what a rule has given in a period is what the period's sum earns, and nothing else."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty.setup import Program, ProgramVersion
from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.periods import Period, Periodic

CURVE = {
    "points", "percent", "rates", "categories", "whole_steps", "levels", "brackets", "rounding",
    "unit",
}  # fmt: skip


class Judging(NamedTuple):
    """A rule as one version of its program has it."""

    config: EarningConfig
    rule: EarningRule


def judging(version: ProgramVersion | None, rule: str) -> Judging | None:
    """None: that version has no such rule."""
    config = None if version is None else version.config
    if not isinstance(config, EarningConfig):
        return None
    found = next((one for one in config.rules if one.id == rule), None)
    return None if found is None else Judging(config, found)


def summed_around(
    rule: str, program: Program, at: datetime, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime], list[Judging]] | None:
    """The widest period around an instant over which a rule adds up, and the rule as the versions
    in force there have it. None: it adds up over nothing there, or over periods that overlap."""
    spans: dict[Periodic, tuple[datetime, datetime]] = {}
    for version in program.versions:
        one = judging(version, rule)
        if one is None or (over := one.rule.over) is None or over.period is Period.ROLLING:
            continue
        span = over.window(at, zone)
        if over not in spans and any(version is one for one in program.within(*span)):
            spans[over] = span
    if not spans or not _nested(spans):
        return None
    widest = max(spans.values(), key=lambda span: span[1] - span[0])
    found = [judging(version, rule) for version in program.within(*widest)]
    return widest, [one for one in found if one is not None]


def _nested(overs: Collection[Periodic]) -> bool:
    periods = {over.period for over in overs} - {Period.LIFETIME, Period.DAY}
    if len({over.day_starts_at for over in overs if over.period is not Period.LIFETIME}) > 1:
        return False
    return len(periods) < 2 or Period.WEEK not in periods


def is_what_its_sum_earns(here: Judging, around: Iterable[Judging]) -> bool:
    """Whether it is in the period, in each version of the program in force there.

    One that reads the sum by another table, adds up something else or cuts what it earns, gave
    something else.
    """
    config, rule = here
    if rule.over is None or rule.over.period is Period.ROLLING:  # each purchase has another sum
        return False
    return all(
        is_uncut(other)
        and (other.rule.fingerprint, other.rule.over) == (rule.fingerprint, rule.over)
        and (
            other.config is config
            or (other.config.units == config.units and _curve(other.rule) == _curve(rule))
        )
        for other in around
    )


def is_uncut(one: Judging) -> bool:
    """Whether it gives what its sum earns. Bounds and caps cut purchase by purchase, and what
    another rule of its group outbids is never given, though the sum goes on."""
    config, rule = one
    if rule.over is None or rule.over.period is Period.ROLLING:
        return False
    if rule.at_least is not None or rule.at_most is not None:
        return False
    if any(rule.id in on.rules for on in config.caps_on):
        return False
    return rule.group is None or config.groups_by_id[rule.group].grants is Grants.ALL


def _curve(rule: EarningRule) -> object:
    return rule.model_dump(include=CURVE), [also.unit for also in rule.also]
