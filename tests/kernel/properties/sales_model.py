"""What purchases and returns come to, by the simplest rules: nothing has a term here."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import floor
from uuid import UUID


@dataclass(eq=False)
class Heap:
    """What one grant gave. `forfeited` went back to the program when its owner left."""

    born: datetime
    left: int
    forfeited: int = 0


Parts = list[tuple[Heap, int]]


@dataclass(eq=False)
class Person:
    id: UUID
    heaps: list[Heap] = field(default_factory=list)
    held: int = 0
    debt: int = 0
    closed: bool = False

    @property
    def has(self) -> int:
        return sum(heap.left for heap in self.heaps)

    def grant(self, stars: int, born: datetime) -> Heap:
        heap = Heap(born, 0)
        self.heaps.append(heap)
        self.put([(heap, stars)])
        return heap

    def put(self, parts: Parts) -> None:
        """Debts come first; who left keeps nothing."""
        for heap, stars in parts:
            repaid = min(self.debt, stars)
            self.debt -= repaid
            heap.left += stars - repaid
        if self.closed:
            self.leave()

    def take(self, stars: int, heaps: list[Heap]) -> Parts:
        """The oldest first, as far as there is something."""
        parts = []
        for heap in sorted(heaps, key=lambda heap: heap.born):
            part = min(stars, heap.left)
            heap.left -= part
            stars -= part
            parts += [(heap, part)] if part else []
        return parts

    def take_back(self, stars: int, own: Heap) -> None:
        """From its own heap, what was forfeited of it, then from all; the rest is owed."""
        stars -= sum(part for _, part in self.take(stars, [own]))
        gone = min(stars, own.forfeited)
        own.forfeited -= gone
        stars -= gone
        self.debt += stars - sum(part for _, part in self.take(stars, self.heaps))

    def leave(self) -> None:
        self.closed = True
        for heap in self.heaps:
            heap.forfeited, heap.left = heap.forfeited + heap.left, 0


@dataclass
class SoldLine:
    id: str
    cents: int
    quantity: int  # thousandths
    share: int
    back: Fraction = Fraction(0)
    taken: int = 0


@dataclass
class Given:
    """A gift: what a friend gets for somebody's purchase, and how much of it is undone by now."""

    friend: Person
    stars: int
    due: datetime
    state: str = "WAITING"
    taken: int = 0
    heap: Heap | None = None


@dataclass
class Undoing:
    gift: Given
    part: Fraction
    due: datetime
    done: bool = False


@dataclass
class Bought:
    person: Person
    lines: list[SoldLine]
    gift: Given | None
    heap: Heap
    revision: int = 1
    replaced: bool = False

    def part(self) -> Fraction:
        """Which part of the whole came back, by what was charged."""
        charged = sum(line.cents for line in self.lines)
        return Fraction(sum(line.cents * line.back for line in self.lines)) / charged


@dataclass(eq=False)
class Waiting:
    """A return that waits for its purchase."""

    order: str
    revision: int | None
    ends: datetime
    state: str = "PARKED"


@dataclass
class Shop:
    """One tenant: its people, orders (all revisions of each), returns that wait, and its budget."""

    people: list[Person]
    budget: int
    orders: dict[str, list[Bought]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    gifts: list[Given] = field(default_factory=list)
    undoings: list[Undoing] = field(default_factory=list)


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def shared(total: int, weights: list[int]) -> list[int]:
    """By largest remainder, the earlier first: one by one, as one would by hand."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(one) for one in exact]
    while sum(parts) < total:
        most = max(range(len(parts)), key=lambda i: (exact[i] - parts[i], -i))
        parts[most] += 1
    return parts


def buy(
    shop: Shop, person: Person, lines: list[SoldLine], gift: Given | None, price: int, at: datetime
) -> Bought:
    """A purchase: a star for each `price` cents of a line, as far as the budget goes."""
    wanted = [line.cents // price for line in lines]
    granted = min(sum(wanted), shop.budget)
    shop.budget -= granted
    if sum(wanted):
        for line, share in zip(lines, shared(granted, wanted), strict=True):
            line.share = share
    if gift is not None:
        shop.gifts.append(gift)
    return Bought(person, lines, gift, person.grant(granted, at))


def give_back(shop: Shop, bought: Bought, parts: dict[str, Fraction], now: datetime) -> None:
    """Goods come back: of each line's share so much as came back of it, rounded, in all."""
    taken = 0
    for line in bought.lines:
        line.back += parts.get(line.id, Fraction(0))
        due = half_up(line.share * line.back)
        taken += due - line.taken
        line.taken = due
    bought.person.take_back(taken, bought.heap)
    shop.budget += taken  # its counter follows returns
    gift, part = bought.gift, bought.part()
    if gift is None:
        return
    if gift.state == "WAITING" and part == 1:
        gift.state = "CANCELLED"
    elif gift.state in ("WAITING", "DONE"):
        shop.undoings.append(Undoing(gift, part, max(now, gift.due)))


def settle_gift(gift: Given) -> None:
    if gift.state == "WAITING":
        gift.state = "REFUSED" if gift.friend.closed else "DONE"
        if gift.state == "DONE":
            gift.heap = gift.friend.grant(gift.stars, gift.due)


def undo_gift(undoing: Undoing) -> None:
    undoing.done, gift = True, undoing.gift
    if gift.heap is not None:
        due = max(gift.taken, half_up(gift.stars * undoing.part))
        gift.friend.take_back(due - gift.taken, gift.heap)
        gift.taken = due
