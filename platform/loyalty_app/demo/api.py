"""What a replay asks of the platform, over HTTP or in this process."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple, Protocol

from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.redemptions import Redemption


class Answer(NamedTuple):
    """What one basket was answered: its points, or why it was refused."""

    points: int
    replayed: bool = False
    refusal: str | None = None


class Redeemed(Enum):
    """How a redemption came out; `SKIPPED`: there were too few points to spend."""

    DONE = auto()
    REPLAYED = auto()
    SKIPPED = auto()


class Api(Protocol):
    """One tenant of the platform, with a clock that the replay sets."""

    def set_time(self, at: datetime) -> None: ...

    async def enroll(self, households: Sequence[str]) -> None:
        """Make members of those who are none yet."""

    async def record(self, baskets: Sequence[Basket]) -> Sequence[Answer]:
        """Record baskets in their order, at most `packing.ITEMS_MAX`; an answer for each."""

    async def redeem(self, redemptions: Sequence[Redemption]) -> Sequence[Redeemed]:
        """Spend points now, one redemption after the other; an answer for each."""

    async def sweep(self) -> None:
        """Book the end of every lot whose term is reached now."""

    async def balances(self) -> Mapping[str, int]:
        """What each household can spend now."""

    async def expired(self) -> int:
        """Points whose end was booked, of all members since ever."""
