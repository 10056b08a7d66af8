"""A rule in one currency: what is the same for all that is paid in it."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Rated(NamedTuple):
    """`per` is how much of what is counted makes one step, as a fraction: of minor units, or of
    thousandths. None: the rule has no rate in this currency. `unit` is what it gives; None: nothing
    for what is paid in this currency. `told` is what a decision keeps of it, beside what was
    counted, and `places` are the decimal places of that."""

    per: tuple[int, int] | None
    unit: str | None
    told: Mapping[str, Any]
    places: int
