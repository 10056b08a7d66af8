"""When to try again: after 5 s at first and a day at last, about three days in all."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # after each failure; then the delivery is dead
RETRY_AFTER_MAX = timedelta(hours=24)
RESTING_AFTER = 5  # failures in a row
REST_MAX = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """`pace` stretches or squeezes every wait: 1 in production, a ten-thousandth in tests."""

    pace: float = 1.0
    chance: Callable[[], float] = random.random

    def after(self, attempts: int, retry_after: timedelta | None = None) -> timedelta | None:
        """How long to wait after so many tries of a delivery; None: it is dead.

        A receiver that says when to come again is not asked sooner, within a day.
        """
        if attempts > len(PAUSES):
            return None
        wait = PAUSES[attempts - 1] * self.pace * (0.9 + self.chance() / 5)
        return max(wait, min(retry_after or timedelta(0), RETRY_AFTER_MAX * self.pace))

    def rest(self, failures: int, retry_after: timedelta | None = None) -> timedelta | None:
        """How long an endpoint is left alone after so many failures in a row."""
        if retry_after is not None:
            return min(retry_after, RETRY_AFTER_MAX * self.pace)
        if failures < RESTING_AFTER:
            return None
        wait = timedelta(seconds=5 * 2 ** min(failures - RESTING_AFTER, 10))
        return min(wait, REST_MAX) * self.pace
