"""Whether what a rule has given in a period is what the period's sum earns, and nothing else."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty.counters import ALWAYS
from loyalty.setup import Program, ProgramVersion
from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.measures import Count
from loyalty_earning.periods import Period, Periodic

OVERLAPS_MAX = 40  # times that a span is widened by periods that overlap it
INSTANT = timedelta(microseconds=1)
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
    """The span around an instant that no period of the rule's leads out of, as the versions in
    force there add up, and the rule as they have it. None: it adds up over nothing there, or one
    period overlaps the next on and on."""
    overs = dict.fromkeys(
        one.rule.over
        for version in program.versions
        if (one := judging(version, rule)) is not None
        and one.rule.over is not None
        and one.rule.over.period is not Period.ROLLING
    )
    span = at, at
    for _ in range(OVERLAPS_MAX):
        windows = [
            window
            for over in overs
            for edge in {span[0], max(span[0], span[1] - INSTANT)}
            if _adds_up(rule, over, window := over.window(edge, zone), program)
        ]
        wider = min([span[0], *(w[0] for w in windows)]), max([span[1], *(w[1] for w in windows)])
        if wider in (span, ALWAYS):  # nothing lies beyond a lifetime
            span = wider
            break
        span = wider
    else:
        return None
    if span == (at, at):
        return None
    found = [judging(version, rule) for version in program.within(*span)]
    return span, [one for one in found if one is not None]


def _adds_up(
    rule: str, over: Periodic, window: tuple[datetime, datetime], program: Program
) -> bool:
    """Whether a version that is in force within a period adds up over it."""
    judged = (judging(version, rule) for version in program.within(*window))
    return any(one is not None and one.rule.over == over for one in judged)


def is_what_its_sum_earns(here: Judging, around: Iterable[Judging]) -> bool:
    """Whether it is in the period, in each version of the program in force there.

    One that reads the sum by another table, adds up something else or cuts what it earns, gave
    something else.
    """
    config, rule = here
    if rule.over is None or rule.over.period is Period.ROLLING:  # each purchase has another sum
        return False
    if rule.count is not Count.AMOUNT and rule.unit is None and len(config.units) > 1:
        return False  # the sum is of all currencies, and each earns in a unit of its own
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
