"""Why a rule gives nothing."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a rule gives nothing."""

    NOT_IN_EFFECT = "NOT_IN_EFFECT"
    NOT_AT_THIS_TIME = "NOT_AT_THIS_TIME"
    CONDITION = "CONDITION"
    CURRENCY_NOT_RATED = "CURRENCY_NOT_RATED"
    NOTHING_COUNTED = "NOTHING_COUNTED"
    MINIMUM_PURCHASE = "MINIMUM_PURCHASE"
    NOTHING_EARNED = "NOTHING_EARNED"
    LIMIT_REACHED = "LIMIT_REACHED"
    NOT_DRAWN = "NOT_DRAWN"
    BY_CHANCE = "BY_CHANCE"  # a preview draws nothing
    OUTBID = "OUTBID"  # another rule of its group gives instead
    NOT_KEPT = "NOT_KEPT"  # it reads what decisions do not keep, so it cannot be judged again


SAID = (Reason.CURRENCY_NOT_RATED, Reason.MINIMUM_PURCHASE)
"""A rule that would have looked at the purchase but for these says so in the decision."""
