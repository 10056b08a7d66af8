"""What a return settles of one rule in one unit, beside the shares of its lines."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.effects import Ended, Grant, Recall
from loyalty.view import CameBack, GrantView, Measured, View
from loyalty_earning.caps import CapOn
from loyalty_earning.judged_anew import Held
from loyalty_earning.lifetime import Instants, instants
from loyalty_earning.one_sum import Judging
from loyalty_earning.periods import Measure, Period
from loyalty_earning.terms import Terms
from loyalty_earning.unit_places import unit_places


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """So much `more` is taken than the shares took; less than nothing: they took too much. `later`
    says by cap what it owes more, or less, of what it gives later. By instant `stands` says how
    much counters have there, `beyond` how much more than is due, and `ended` how much reached its
    term: all of them where they make a difference."""

    here: Judging
    unit: str
    more: int
    later: Mapping[str, int]
    stands: Mapping[datetime, int] = field(default_factory=dict)
    beyond: Mapping[datetime, int] = field(default_factory=dict)
    ended: Mapping[datetime, int] = field(default_factory=dict)

    def effects(self, back: CameBack, view: View) -> Iterator[Recall | Ended | Grant]:
        """What is taken is counted where it stands, and what is given where the shares were: at the
        returned purchase's instant."""
        rule, terms = self.here.rule, self._terms
        for then, ended in self.ended.items():
            if ended > 0:
                yield Ended(unit=self.unit, rule=rule.id, amount=ended, given_at=then)
        for then, amount in _spread(self.more, self.beyond, back.at):
            yield Recall(
                unit=self.unit, amount=amount, rule=rule.id, label=rule.label, given_at=then,
                accounting_class=rule.accounting_class, take_back=terms.take_back,
            )  # fmt: skip
        parts, later = self._given(back, view), self.later or None
        gone = max(-self.ended.get(back.at, 0), 0)  # the shares took what a return had taken
        for when, amount in parts.items():
            late = min(amount, gone)
            yield Grant(
                unit=self.unit, wanted=amount, granted=amount, ended=late, rule=rule.id,
                label=rule.label, accounting_class=rule.accounting_class,
                available_at=when.available_at, settles_at=when.settles_at,
                expires_at=when.expires_at, take_back=terms.take_back, postponed=later,
                given_at=back.at,
            )  # fmt: skip
            gone, later = gone - late, None
        for then, amount in self._evened(back):
            yield Grant(
                unit=self.unit, wanted=0, granted=0, rule=rule.id, label=rule.label,
                accounting_class=rule.accounting_class, given_at=then, more=amount,
            )  # fmt: skip

    def moves(self, back: CameBack) -> Iterator[tuple[datetime, int]]:
        """By how much what counters have of it changes, and at which instants."""
        yield from self._moved(back)
        yield from self._evened(back)

    def _moved(self, back: CameBack) -> Iterator[tuple[datetime, int]]:
        for then, amount in _spread(self.more, self.beyond, back.at):
            yield then, -amount
        if self.more < 0:
            yield back.at, -self.more

    def _evened(self, back: CameBack) -> Iterator[tuple[datetime, int]]:
        """No instant keeps less than nothing where another one has more than is due."""
        stands, beyond = Counter(self.stands), Counter(self.beyond)
        for then, amount in self._moved(back) if stands else ():
            stands[then] += amount
            beyond[then] += amount
        for low in sorted(then for then, stood in stands.items() if stood < 0):
            for high, part in _spread(-stands[low], beyond, low):
                if high != low:
                    beyond[high] -= part
                    yield from ((high, -part), (low, part))

    def _given(self, back: CameBack, view: View) -> Mapping[Instants, int]:
        """How much under which terms: those of the purchases that have too little."""
        short = {then: -beyond for then, beyond in self.beyond.items()}
        parts = Counter[Instants]()
        for then, amount in _spread(-self.more, short, back.at):
            parts[self._instants(then, back, view)] += amount
        return parts or ({self._instants(back.at, back, view): 0} if self.later else {})

    def _instants(self, then: datetime, back: CameBack, view: View) -> Instants:
        """As of a purchase's instant; but it stands for what the shares took, so it waits no longer
        than that did, and lives no shorter: what was activated or lived on does so still."""
        terms, lots = self._terms, back.lots.get((self.here.rule.id, self.unit), ())
        when = instants(terms, then, view)
        available, ends = when.available_at, [when.expires_at] * (not terms.waits_for_activation)
        for lot in lots:
            available = available and min(available, lot.available_at)
            ends.append(lot.expires_at)
        known = [end for end in ends if end is not None]
        never = len(known) < len(ends) or not known
        return when._replace(available_at=available, expires_at=None if never else max(known))

    def less_owed(self, on: CapOn) -> int:
        """By how much what a cap owes falls with it."""
        return -self.later.get(on.target, 0) if self.unit == on.unit else 0

    @property
    def _terms(self) -> Terms:
        also = {one.unit: one.terms for one in self.here.rule.also}
        return also.get(self.unit, next(terms_of(self.here)))


def terms_of(here: Judging) -> Iterator[Terms]:
    """Of what a rule gives: of its own unit first, then of the other ones."""
    yield here.rule.terms or here.config.terms
    for also in here.rule.also:
        yield also.terms


def _spread(
    amount: int, where: Mapping[datetime, int], otherwise: datetime
) -> Iterator[tuple[datetime, int]]:
    """An amount over where there is something, oldest first; the rest of it is elsewhere."""
    for then, there in sorted(where.items()):
        if (part := min(amount, there)) > 0:
            yield then, part
            amount -= part
    if amount > 0:
        yield otherwise, amount


def of_one_sum(here: Judging, unit: str, due: int, back: CameBack, view: View) -> Settlement:
    """A period of which nothing can have been cut: so much is due back."""
    taken, _ = _freed(here, unit, back, view)
    return Settlement(here=here, unit=unit, more=due - taken, later={})


def of_uncut(here: Judging, unit: str, held: Held) -> Settlement:
    return Settlement(
        here=here, unit=unit, more=held.more, later={}, stands=held.stands, beyond=held.beyond,
        ended=held.ended,
    )  # fmt: skip


def of_cut(
    here: Judging, unit: str, held: Held, room: "Room", back: CameBack, view: View
) -> Settlement:
    """A period of which something may have been cut. Where it was, a return gives no more than it
    takes. What is owed is taken before what was given, and given after it."""
    taken, owed_less = _freed(here, unit, back, view)
    freed = taken + owed_less.total()
    more, owed = max(held.more, -freed), Counter(held.owed)
    for target in owed:
        less = max(min(more, owed[target]), 0)
        owed[target], more = owed[target] - less, more - less
    for target in owed_less:
        rest = max(min(-more - taken, owed_less[target]), 0)
        owed[target], more = owed[target] + rest, more + rest
    if held.more < -freed and not held.was_cut:
        given, cut = room.take(here, unit, -freed - held.more)
        more -= given
        owed.update(cut)
    more += _even(held.given - more, owed)
    later = {name: owed[name] - held.owed[name] for name in owed if owed[name] != held.owed[name]}
    return Settlement(
        here=here, unit=unit, more=more, later=later, stands=held.stands, beyond=held.beyond,
        ended=held.ended,
    )  # fmt: skip


def _even(given: int, owed: Counter[str]) -> int:
    """How much of what was given stands for what is owed too little, that neither is less than
    nothing: shares of both are rounded each for itself."""
    short = sum(-points for points in owed.values() if points < 0) - min(given, 0)
    for target in owed:
        less = min(max(owed[target], 0), short)
        owed[target], short = max(owed[target], 0) - less, short - less
    return short + min(given, 0)


class Room:
    """What caps leave when goods of a purchase come back, at its instant, beside what comes back
    itself: it is taken once."""

    def __init__(self, back: CameBack, view: View) -> None:
        self._back, self._view = back, view
        self._taken = Counter[str]()

    def take(self, here: Judging, unit: str, wanted: int) -> tuple[int, Counter[str]]:
        """How much of it there is room for, and by the cap that owes it what is given later."""
        rule, most, later = here.rule.id, wanted, Counter[str]()
        caps = [on for on in here.config.caps_on if on.unit == unit and rule in on.rules]
        for on in caps:
            left = self._left(on)
            if most > left:
                later[on.target] += (most - left) * on.cap.carry_over
                most = left
        self._taken.update({on.given: most for on in caps})
        return most, later

    def _left(self, on: CapOn) -> int:
        if on.cap.period is Period.ROLLING:
            return 0  # later days look back at this one, too, and may have none
        given = self._back.counters[on.given] + self._taken[on.given]
        return max(0, on.most(unit_places(self._view, on.unit)) - given)


def _freed(here: Judging, unit: str, back: CameBack, view: View) -> tuple[int, Counter[str]]:
    """What the shares of the lines take back, and by cap what it owes less."""
    taken, owed_less = 0, Counter[str]()
    for measured, sign in ((back.before, 1), (back.left, -1)):
        if (one := granted(measured, here.rule.id, unit, view)) is not None:
            taken += one.granted * sign
            for target, owed in (one.postponed or {}).items():
                owed_less[target] += owed * sign
    return taken, owed_less


def granted(measured: Measured, rule: str, unit: str, view: View) -> GrantView | None:
    """What a rule of the program gave for a purchase."""
    for one in measured[0][1] if measured else ():
        if (one.program, one.rule, one.unit) == (view.program, rule, unit):
            return one
    return None


def difference(measure: Measure, back: CameBack, view: View) -> int:
    """By how much a counter falls with the shares of what came back."""
    before, left = (
        sum(measure(fact, grants, view.program) for fact, grants in measured)
        for measured in (back.before, back.left)
    )
    return before - left
