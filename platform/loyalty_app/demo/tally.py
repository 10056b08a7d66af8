"""What a replay came to."""

from collections import Counter
from dataclasses import dataclass, field

from loyalty_app.demo.api import Answer, Redeemed
from loyalty_app.demo.redemptions import POINTS


@dataclass(slots=True)
class Tally:
    """Counted from the answers alone. Sums of points count replays too: they stand as they did."""

    points: dict[str, int] = field(default_factory=dict)  # by basket
    refusals: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    redemptions: Counter[Redeemed] = field(default_factory=Counter)
    seconds: float = 0.0  # in which baskets were recorded

    def count(self, basket: str, answer: Answer) -> None:
        if answer.refusal is not None:
            self.refusals[answer.refusal] += 1
            return
        self.points[basket] = answer.points
        self.replayed += answer.replayed

    @property
    def granted(self) -> int:
        return sum(self.points.values())

    @property
    def redeemed(self) -> int:
        done = self.redemptions[Redeemed.DONE] + self.redemptions[Redeemed.REPLAYED]
        return POINTS * done

    @property
    def skipped(self) -> int:
        return self.redemptions[Redeemed.SKIPPED]
