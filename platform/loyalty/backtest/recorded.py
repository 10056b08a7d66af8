"""Whether a walk under the published versions comes to what was recorded, fact by fact."""

from collections.abc import Sequence
from typing import Any

from loyalty.backtest.past import Past
from loyalty.backtest.told import Grant, Told
from loyalty.facts import Fact, PurchaseRecorded, PurchaseReversed


class Comparison:
    """A listener of a side whose history is read with its decisions.

    What is left out of a walk (a return of an earlier sale) is nobody's difference, nor is what a
    rule says of a grant of nothing: that explains, and may be told otherwise by a later release.
    """

    def __init__(self) -> None:
        self.compared = 0
        self.differences: list[str] = []

    def __call__(self, past: Past | None, came: Sequence[Told]) -> None:
        if past is None:
            return
        decision = past.decision or {}
        if isinstance(past.fact, PurchaseReversed):
            there = [[line, amount] for _, line, amount in decision.get("taken", ())]
            here = [
                [line, amount]
                for told in came
                if isinstance(told.fact, PurchaseRecorded)  # not what followed from it
                for _, line, amount in told.taken
            ]
            if not here and past.sale_id is not None:
                return
        else:
            there = [_row(grant) for grant in decision.get("grants", ()) if grant["wanted"]]
            here = [
                _row(grant)
                for told in came
                if _same(told.fact, past.fact)
                for grant in told.grants
                if grant["wanted"]
            ]
        self.compared += 1
        if here != there:
            self.differences.append(f"{past.key.scope} {past.key.key}: {there} became {here}")


def _same(told: Fact, recorded: Fact) -> bool:
    """A corrected purchase was told with another instant than the one that it is judged at."""
    key = recorded.natural_key
    return told is recorded or (key is not None and told.natural_key == key)


def _row(grant: Grant) -> list[Any]:
    return [grant[name] for name in ("program", "rule", "unit", "wanted", "granted", "lines")]
