"""Points become rewards: in steps, within the most that a window and a year allow."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import ceil, floor

from loyalty.effects import Burn, Effect, Grant
from loyalty.facts import Fact
from loyalty.plugin import BurnWant, Counter, Scope, Window
from loyalty.units import ratio
from loyalty.view import GrantView, View
from loyalty_earning.lifetime import end_of
from loyalty_points.config import PointsConfig
from loyalty_points.facts import ConversionDue
from loyalty_points.issuing import Issuing

CONVERTED = "converted"  # the program's account that points go to which became rewards
MAX_PER_WINDOW = "MAX_PER_WINDOW"
MAX_PER_YEAR = "MAX_PER_YEAR"


def points_of(config: PointsConfig, due: ConversionDue) -> Iterator[BurnWant]:
    yield BurnWant(unit=config.unit)


def convert(config: PointsConfig, due: ConversionDue, view: View) -> Iterator[Effect]:
    """Burn full steps and grant what they give; what makes no step, or is too much, stays."""
    issuing = next((one for one in config.issuing if one.id == due.issuing), None)
    if due.program != view.program or issuing is None:
        return
    step = ratio(issuing.step) * 10 ** view.places(config.unit)
    gives = ratio(issuing.gives) * 10 ** view.places(issuing.unit)
    available = view.balance(config.unit).available
    possible = floor(available / step)
    steps, cut_by = _allowed(issuing, possible, gives, view)
    wanted, granted = floor(possible * gives), floor(steps * gives)
    if wanted == 0:
        return
    steps = ceil(granted / gives)  # a step that adds less than the smallest part of it stays
    if steps:
        yield Burn(unit=config.unit, amount=ceil(steps * step), to=CONVERTED, label=issuing.label)
    yield Grant(
        unit=issuing.unit,
        wanted=wanted,
        granted=granted,
        rule=issuing.id,
        label=issuing.label,
        accounting_class=issuing.accounting_class,
        expires_at=None
        if issuing.lifetime is None
        else end_of(issuing.lifetime, due.occurred_at, view.zone),
        cut_by=cut_by,
        inputs={
            "window": due.day,
            "available": view.text(config.unit, available),
            "step": issuing.step,
            "gives": issuing.gives,
            "steps": steps,
        },
    )


def counters(config: PointsConfig) -> list[Counter]:
    """What each member was issued in the calendar year, where there is a most of it."""
    return [
        Counter(
            name=issuing.counter, scope=Scope.MEMBER, window=Window.YEAR, measure=_issued(issuing)
        )
        for issuing in config.issuing
        if issuing.max_per_year is not None
    ]


def _allowed(
    issuing: Issuing, possible: int, gives: Fraction, view: View
) -> tuple[int, str | None]:
    """How many steps are converted, and what kept it from more."""
    steps, cut_by, places = possible, None, view.places(issuing.unit)
    if issuing.max_per_window is not None:
        most = floor(ratio(issuing.max_per_window) * 10**places / gives)
        if most < steps:
            steps, cut_by = most, MAX_PER_WINDOW
    if issuing.max_per_year is not None:
        left = ratio(issuing.max_per_year) * 10**places - view.counters[issuing.counter]
        most = max(0, floor(left / gives))
        if most < steps:
            steps, cut_by = most, MAX_PER_YEAR
    return steps, cut_by


def _issued(issuing: Issuing) -> Callable[[Fact, Sequence[GrantView], str], int]:
    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        if not isinstance(fact, ConversionDue):
            return 0
        return sum(
            grant.granted
            for grant in grants
            if (grant.program, grant.rule) == (program, issuing.id)
        )

    return measure
