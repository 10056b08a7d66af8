"""What a points program lets others know, and what its jobs have its rules look at."""

from dataclasses import dataclass
from typing import ClassVar

from loyalty.facts import Fact, FactKey
from loyalty_earning import facts as earning

DIVIDENDS = "dividend"  # the scope of the keys that declared rates are known by


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryAnnounced(Fact):
    """So much of what a member has of a unit ends on one local day: all of it, told days ahead.

    `expires_at` is the first instant of it; `amount` a decimal number with the unit's places.
    """

    KIND: ClassVar[str] = "points.expiry_announced/1"
    program: str
    unit: str
    amount: str
    day: str
    expires_at: str
    days_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsActivated(Fact):
    """Points that waited for it were activated and can be used from now on."""

    KIND: ClassVar[str] = "points.activated/1"
    program: str
    unit: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsDonated(Fact):
    """What ended of a member's was donated, as they had chosen."""

    KIND: ClassVar[str] = "points.donated/1"
    program: str
    unit: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosed(Fact):
    """Everybody who had enough points in an issuing window has their reward.

    `amount` is what all `members` together were given of `unit`, a decimal number. So many more
    could not be given theirs (`refused`): it is tried again.
    """

    KIND: ClassVar[str] = "points.window_closed/1"
    program: str
    issuing: str
    day: str
    unit: str
    members: int
    amount: str
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DividendDeclared(Fact):
    """The rate of a year's dividend was declared, in percent of the base.

    `issues_on` is the local day on which it is given. Until then the next revision replaces it.
    """

    KIND: ClassVar[str] = "points.dividend_declared/1"
    program: str
    year: int
    percent: str
    issues_on: str
    revision: int = 1

    @property
    def natural_key(self) -> FactKey | None:
        return FactKey(DIVIDENDS, f"{self.program}:{self.year}:{self.revision}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DividendIssued(Fact):
    """A year's dividend was given to everybody who has one; `amount` is all of it. So many more
    could not be given theirs (`refused`): it is tried again."""

    KIND: ClassVar[str] = "points.dividend_issued/1"
    program: str
    year: int
    percent: str
    unit: str
    members: int
    amount: str
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver(earning.CarriedOver):
    """A new period began for a cap that carries over: what it cut before is given now.

    `target` is what the cap is on: `rule.<id>`, `group.<id>` or `program`.
    """

    KIND: ClassVar[str] = "points.carried_over/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReached(earning.BudgetReached):
    """So many percent of a budget are given: told once for each of its periods.

    `target` is what the budget is on: `rule.<id>`, `group.<id>` or `program`. Amounts are decimal
    strings with the places of the unit; the period is from `begins` to `ends`.
    """

    KIND: ClassVar[str] = "points.budget_reached/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChanged(earning.ChoiceChanged):
    """A member picked other options than they had picked before. The first pick is no change."""

    KIND: ClassVar[str] = "points.choice_changed/1"


# --- looked at by rules, and told to nobody: what comes of them is told --------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryNear(Fact):
    """A member has something of `unit` that ends on `day`, so many days from now."""

    KIND: ClassVar[str] = "points.expiry_neared/1"
    program: str
    unit: str
    day: str
    days_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAnnounced(Fact):
    """Nobody is left to be told of what ends on `day`."""

    KIND: ClassVar[str] = "points.day_announced/1"
    unit: str
    day: str
    days_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionDue(Fact):
    """A member's points are looked at in an issuing window."""

    KIND: ClassVar[str] = "points.conversion_fallen_due/1"
    program: str
    issuing: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DividendDue(Fact):
    """A member's base of a year has its dividend."""

    KIND: ClassVar[str] = "points.dividend_fallen_due/1"
    program: str
    year: int
    percent: str
