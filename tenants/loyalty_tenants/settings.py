"""Checks of a tenant's settings. Each answers the value to store or refuses it with its field."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files

from loyalty.errors import Code, Refused
from loyalty.units import MINOR_MAX, currency_places

CURRENCIES_MAX = 50


# "The local time zone must be set": what a machine has that nobody told where it stands.
NOWHERE = frozenset({"Factory"})


@cache
def zones() -> frozenset[str]:
    """The names of IANA. A system's folder of zones holds more: its own clock (`localtime`), other
    countings of the same (`posix/`, `right/`), whatever somebody put there."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split()) - NOWHERE


def check_zone(zone: str) -> str:
    """An IANA zone such as `Europe/Madrid`."""
    if zone not in zones():
        raise Refused(
            Code.BAD_USER_INPUT,
            "is not an IANA time zone: write one such as Europe/Madrid or UTC",
            field="zone",
        )
    return zone


def check_currencies(codes: Sequence[str]) -> tuple[str, ...]:
    """ISO 4217 codes, each once, in the order given."""
    if len(codes) > CURRENCIES_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"list at most {CURRENCIES_MAX} currencies", field="currencies"
        )
    for index, code in enumerate(codes):
        if currency_places(code) is None:
            raise Refused(
                Code.CURRENCY_NOT_LISTED,
                "is not an ISO 4217 currency code: write one such as EUR",
                field=f"currencies.{index}",
            )
    return tuple(dict.fromkeys(codes))


def check_tolerance(minor: int | None) -> int | None:
    """Minor units by which lines may miss a total."""
    if minor is not None and not 0 <= minor <= MINOR_MAX:
        raise Refused(
            Code.BAD_AMOUNT, f"must be from 0 to {MINOR_MAX} minor units", field="totalTolerance"
        )
    return minor


def check_window(span: timedelta | None, *, days: int, field: str) -> timedelta | None:
    """A span from nothing to so many days."""
    if span is not None and not timedelta(0) <= span <= timedelta(days=days):
        raise Refused(Code.BAD_USER_INPUT, f"must be from 0 to {days} days", field=field)
    return span
