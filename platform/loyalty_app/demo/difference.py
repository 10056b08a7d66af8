"""Where a replay and the independent computation part."""

from collections.abc import Iterator, Mapping

from loyalty_app.demo.expected import Expected
from loyalty_app.demo.tally import Tally


def differences(
    tally: Tally, balances: Mapping[str, int], expired: int, expected: Expected
) -> Iterator[str]:
    """A line for each number that differs: by basket, by household, and in sum."""
    yield from _each("basket", tally.points, expected.points)
    yield from _each("household", _but_zero(balances), _but_zero(expected.balances))
    sums = {"granted": tally.granted, "redeemed": tally.redeemed, "skipped": tally.skipped}
    wanted = {
        "granted": expected.granted,
        "redeemed": expected.redeemed,
        "skipped": expected.skipped,
    }
    yield from _each("sum", sums | {"expired": expired}, wanted | {"expired": expected.expired})


def _each(what: str, found: Mapping[str, int], wanted: Mapping[str, int]) -> Iterator[str]:
    for name in sorted({*found, *wanted}):
        if found.get(name) != wanted.get(name):
            yield f"{what} {name}: {found.get(name)} points, expected {wanted.get(name)}"


def _but_zero(balances: Mapping[str, int]) -> dict[str, int]:
    """Households without points are of no account: some are members that bought nothing yet."""
    return {household: points for household, points in balances.items() if points}
