"""Which instants lie in one period of the tenant's local days."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def business_day(at: datetime, zone: ZoneInfo, starts: time) -> date:
    day = at.astimezone(zone).date()
    return day if at >= datetime.combine(day, starts, tzinfo=zone) else day - timedelta(days=1)


def in_one_period(period: dict[str, Any], now: datetime, then: datetime, zone: ZoneInfo) -> bool:
    """Whether what happened `then` counts `now`."""
    starts = time.fromisoformat(period.get("day_starts_at", "00:00"))
    a, b = business_day(now, zone, starts), business_day(then, zone, starts)
    match period["period"]:
        case "lifetime":
            return True
        case "rolling":
            return timedelta(0) <= a - b < timedelta(days=period["days"])
        case "day":
            return a == b
        case "week":
            return a - timedelta(days=a.weekday()) == b - timedelta(days=b.weekday())
        case "month":
            return (a.year, a.month) == (b.year, b.month)
        case "quarter":
            return (a.year, (a.month - 1) // 3) == (b.year, (b.month - 1) // 3)
        case _:
            return a.year == b.year
