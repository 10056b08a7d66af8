"""What caps leave of grants, and what each of them cut."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loyalty.view import GrantView
from loyalty_earning.caps import CapOn


@dataclass(frozen=True, slots=True)
class Cut:
    """So much a cap cut of a grant, because so much was given under it before, and of the same
    fact `taken` by grants before this one: by which rule how much."""

    on: CapOn
    amount: int
    given: int
    taken: Sequence[tuple[str, int]]


class Left:
    """What is left of a grant, and what was cut, in the order of the caps."""

    __slots__ = ("amount", "cuts", "grant")

    def __init__(self, grant: GrantView) -> None:
        self.grant, self.amount = grant, grant.granted
        self.cuts: Sequence[Cut] = ()  # most caps cut nothing

    def cut(self, on: CapOn, room: int, given: int, taken: Sequence[tuple[str, int]]) -> None:
        self.cuts = (*self.cuts, Cut(on, self.amount - room, given, tuple(taken)))
        self.amount = room


def left_of(
    caps: Sequence[CapOn],
    grants: Sequence[GrantView],
    counters: Mapping[str, int],
    places: Callable[[str], int],
) -> list[Left]:
    """Ask caps in their order; within one, grants are served in the order in which they were given.

    `counters` say what was given before this fact, `places` the decimal places of a unit.
    """
    left = [Left(grant) for grant in grants]
    for on in caps:
        given = counters[on.given]
        room = max(0, on.most(places(on.unit)) - given)
        taken: list[tuple[str, int]] = []
        for one in left:
            if one.grant.unit != on.unit or one.grant.rule not in on.rules:
                continue
            if one.amount > room:
                one.cut(on, room, given, taken)
            if one.amount:
                room -= one.amount
                taken.append((one.grant.rule, one.amount))
    return left


def got(
    caps: Sequence[CapOn], amount: int, counters: Mapping[str, int], places: Callable[[str], int]
) -> int:
    """What is given of an amount, now or later, under caps that count nothing else of its fact."""
    later = 0
    for on in caps:
        room = max(0, on.most(places(on.unit)) - counters[on.given])
        if amount > room:
            later += amount - room if on.cap.carry_over else 0
            amount = room
    return amount + later
