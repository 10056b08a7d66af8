"""A token bucket: it fills at a rate up to a burst. What is taken may leave it in debt."""

from collections import OrderedDict
from collections.abc import Hashable

# A bucket that is forgotten comes back full, so only the longest unused may be.
KEPT_MAX = 10_000


class Bucket:
    """`now` is in seconds of any clock that only goes forward."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._at = burst, now

    def spend(self, units: float, now: float) -> None:
        """Take so much, also more than there is: what it costs shows only when it is read."""
        self._fill(now)
        self._level -= units

    def seconds_until_free(self, now: float) -> float:
        """How long until something may be taken again; 0 where it may now."""
        self._fill(now)
        return max(0.0, -self._level / self._rate)

    def _fill(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now


class Buckets:
    """One for each key, all of the same size; a rate of 0 is no limit."""

    def __init__(self, rate: float, burst_seconds: float) -> None:
        self._rate, self._burst = rate, rate * burst_seconds
        self._kept: OrderedDict[Hashable, Bucket] = OrderedDict()

    def spend(self, key: Hashable, units: float, now: float) -> None:
        if self._rate:
            self._bucket(key, now).spend(units, now)

    def seconds_until_free(self, key: Hashable, now: float) -> float:
        return self._bucket(key, now).seconds_until_free(now) if self._rate else 0.0

    def _bucket(self, key: Hashable, now: float) -> Bucket:
        if (bucket := self._kept.get(key)) is None:
            bucket = self._kept[key] = Bucket(self._rate, self._burst, now)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return bucket
