"""What returns settled of each rule beside the shares of lines, as of which instant."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from loyalty.view import Bought, CameBack, View
from loyalty_earning.settlement import Settlement


class Given(NamedTuple):
    """Of a rule in a unit, at an instant."""

    at: datetime
    rule: str
    unit: str


def stands_of(
    settled: Iterable[Settlement], bought: Iterable[Bought], back: CameBack, view: View
) -> Counter[Given]:
    """By earlier returns of what was `bought`, and by this one (`settled`)."""
    found = Counter[Given]()
    for purchase in bought:
        for then, grant in purchase.settled:
            if grant.program == view.program:
                found[Given(then, grant.rule, grant.unit)] += grant.granted
    for one in settled:
        for then, amount in one.moves(back):
            found[Given(then, one.here.rule.id, one.unit)] += amount
    return found
