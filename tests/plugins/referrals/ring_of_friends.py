"""A model of a referral program, one thing after the other: what each side must have.

It knows the config's numbers and keeps a queue of what follows later, first in first out; of the
ledger, locks and tables it knows nothing.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

MINIMUM, WELCOME, THANKS = 2_000, 5, 10
STEPS = {"second": (2, 100), "third": (3, 1_000)}
CONFIG = {
    "qualify": {"minimum": {"USD": "20.00"}},
    "rewards": {
        "friend": [{"id": "welcome", "label": "W", "unit": "points", "amount": str(WELCOME)}],
        "referrer": [{"id": "thanks", "label": "T", "unit": "points", "amount": str(THANKS)}],
        "ladder": [
            {"id": name, "label": name, "friends": friends, "unit": "points", "amount": str(gives)}
            for name, (friends, gives) in STEPS.items()
        ],
    },
}


@dataclass(eq=False)
class Order:
    """Line by line what its products came to, and what part of each came back."""

    number: int
    friend: "Friend"
    lines: list[int]
    back: list[Fraction] = field(default_factory=list)
    asked: str = ""  # "" it never qualified, "waiting", "done", "off"
    paid: "Part | None" = None

    @property
    def left(self) -> Fraction:
        return sum(
            (net * (1 - back) for net, back in zip(self.lines, self.back, strict=True)), Fraction()
        )


@dataclass(eq=False)
class Part:
    """What both sides have by one order; `state` of the referrer's: waiting, stands, off."""

    state: str = "waiting"


@dataclass(eq=False)
class Friend:
    number: int
    referrer: int
    shares_home: bool
    verdict: str = "CLEAR"
    order: Order | None = None
    spares: list[Order] = field(default_factory=list)
    has: int = 0


class Model:
    """`reached` counts the situations that a story met."""

    def __init__(self, reached: Counter[str]) -> None:
        self.reached = reached
        self.friends: dict[int, Friend] = {}
        self.orders: list[Order] = []
        self.standing: Counter[int] = Counter()
        self._later: deque[Callable[[], None]] = deque()

    def enroll(self, number: int, referrer: int, shares_home: bool) -> None:
        friend = self.friends[number] = Friend(number, referrer, shares_home)
        self._later.append(lambda: self._look(friend))

    def buy(self, number: int, lines: list[int]) -> Order:
        friend = self.friends[number]
        order = Order(len(self.orders), friend, lines, [Fraction()] * len(lines))
        self.orders.append(order)
        if friend.verdict != "REFUSED" and sum(lines) >= MINIMUM:
            order.asked = "waiting"
            self._later.append(lambda: self._qualify(order))
        return order

    def bring_back(self, order: Order, line: int, part: Fraction) -> None:
        order.back[line] += part
        self.reached["returned in part" if order.left else "returned whole"] += 1
        if order.asked == "waiting" and not order.left:
            order.asked = "off"
            self.reached["called off"] += 1
        elif order.asked in ("waiting", "done"):
            left = order.left
            self._later.append(lambda: self._fall(order, left))

    def review(self, number: int, release: bool) -> bool:
        """Whether there was anything to decide."""
        friend = self.friends[number]
        if friend.verdict != "REVIEW":
            return False
        friend.verdict = "RELEASED" if release else "REFUSED"
        self.reached["released" if release else "refused"] += 1
        if release and friend.order is not None:
            self.reached["released with an order"] += 1
            self._pay(friend.order, later=True)
        return True

    def work(self) -> None:
        while self._later:
            self._later.popleft()()

    def referrer_has(self, referrer: int) -> int:
        friends = self.standing[referrer]
        return friends * THANKS + sum(gives for at, gives in STEPS.values() if friends >= at)

    def _look(self, friend: Friend) -> None:
        if friend.shares_home and friend.verdict == "CLEAR":
            friend.verdict = "REVIEW"

    def _qualify(self, order: Order) -> None:
        friend = order.friend
        if order.asked == "off":
            return
        order.asked = "done"
        if friend.verdict == "REFUSED":
            return
        if friend.order is not None:
            self.reached["another order stood"] += 1
            friend.spares.append(order)
            return
        self._stands(order)

    def _reconsider(self, friend: Friend) -> None:
        if friend.order is None and friend.spares and friend.verdict != "REFUSED":
            self.reached["stood in"] += 1
            self._stands(friend.spares.pop(0), later=True)

    def _stands(self, order: Order, *, later: bool = False) -> None:
        friend = order.friend
        friend.order = order
        self._look(friend)
        if friend.verdict == "REVIEW":
            self.reached["held"] += 1
        else:
            self.reached["qualified"] += 1
            self._pay(order, later=later)

    def _pay(self, order: Order, *, later: bool) -> None:
        part = order.paid = Part()
        if later:
            self._later.append(lambda: self._welcome(order, part))
        else:
            self._welcome(order, part)
        self._later.append(lambda: self._thank(order, part))

    def _welcome(self, order: Order, part: Part) -> None:
        if order.paid is part:
            order.friend.has += WELCOME

    def _thank(self, order: Order, part: Part) -> None:
        if part.state == "off":
            return
        referrer = order.friend.referrer
        part.state = "stands"
        self.standing[referrer] += 1
        if self.standing[referrer] in dict(STEPS.values()):
            self.reached["a step reached"] += 1

    def _fall(self, order: Order, left: Fraction) -> None:
        """So little was left of the order when this was asked for."""
        friend = order.friend
        if left >= MINIMUM:
            return
        if order in friend.spares:
            friend.spares.remove(order)
        if friend.order is not order:
            return
        friend.order = None
        self._later.append(lambda: self._reconsider(friend))
        self.reached["fell"] += 1
        if (part := order.paid) is None:
            return
        order.paid = None
        if friend.has:
            friend.has -= WELCOME
        if part.state == "waiting" and not left:
            part.state = "off"
            self.reached["the referrer's part called off"] += 1
        else:
            self._later.append(lambda: self._unthank(friend.referrer, part))

    def _unthank(self, referrer: int, part: Part) -> None:
        if part.state == "stands":
            if self.standing[referrer] in dict(STEPS.values()):
                self.reached["a step fell"] += 1
            self.standing[referrer] -= 1
        part.state = "off"
