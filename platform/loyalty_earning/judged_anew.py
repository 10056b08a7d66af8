"""A period judged anew, purchase by purchase, where its sum alone does not say what it earns.

Another table, another sum or a cap was published within it, or something cut what the sum earned,
so what was given is no function of one sum. What is left of its purchases says what they earn: in
the order of recording, each under the version that judged it, as they would have earned had what
came back never been bought. What was cut is not given for that: of it no more is kept than the
shares of the lines that are left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from loyalty.facts import PurchaseRecorded
from loyalty.setup import Program, ProgramVersion
from loyalty.view import Bought, GrantView, View
from loyalty_earning.counting import counted, paid
from loyalty_earning.curve import points_of_sum, summed
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.inputs import summed_before
from loyalty_earning.judging import within_bounds
from loyalty_earning.measures import Count
from loyalty_earning.one_sum import Judging, judging
from loyalty_earning.periods import Period
from loyalty_earning.reason import SAID, Reason
from loyalty_earning.running_sums import summing
from loyalty_earning.unit_places import unit_places

SumKey = tuple[object, ...]


@dataclass(slots=True)
class Held:
    """What a member has of a rule's in one unit for a period: what was `given`, and by the cap that
    owes it what is given later. What is left of the period earns what is `due`.

    `was_cut`: something was, be it of what came back since. By instant `stands` says how much
    counters have there, `beyond` how much more than is due, and `ended` how much reached its term.
    """

    given: int = 0
    owed: Counter[str] = field(default_factory=Counter)
    due: int = 0
    was_cut: bool = False
    stands: Counter[datetime] = field(default_factory=Counter)
    beyond: Counter[datetime] = field(default_factory=Counter)
    ended: Counter[datetime] = field(default_factory=Counter)

    @property
    def more(self) -> int:
        """How much more that is than what is due."""
        return self.given + self.owed.total() - self.due

    def add(self, grant: GrantView, at: datetime) -> int:
        """How much a grant is, with what is given of it later."""
        self.given += grant.granted
        self.stands[at] += grant.granted
        self.beyond[at] += grant.granted
        self.owed.update(grant.postponed or {})
        return grant.granted + sum((grant.postponed or {}).values())

    def add_due(self, amount: int, at: datetime) -> None:
        self.due += amount
        self.beyond[at] -= amount


def judged_anew(
    rule: str, bought: Sequence[Bought], program: Program, view: View
) -> Mapping[str, Held]:
    """By unit."""
    sums, found = _Sums(rule, program, view), defaultdict[str, Held](Held)
    known: dict[SumKey, int] = {}
    for purchase in bought:
        one = judging(program.at(purchase.at), rule)
        for then, grant in purchase.settled:
            if _is_of(rule, grant, view):
                found[grant.unit].add(grant, then)
        for at, (first, given) in enumerate(purchase.recorded):
            was = [grant for grant in given if _is_of(rule, grant, view)]
            if not was or not isinstance(first, PurchaseRecorded):
                continue
            earns = _Earning(one, first, given, known, view)
            for unit in earns.units | {grant.unit for grant in was}:
                found[unit].was_cut |= earns.was_outdone
            for grant in was:
                found[grant.unit].was_cut |= earns.is_cut(grant)
            if at >= len(purchase.left):
                continue  # it came back as a whole
            fact, left = purchase.left[at]
            assert isinstance(fact, PurchaseRecorded)
            earns.lifts(*sums.add(one, fact, left, purchase.at))
            has = [grant for grant in left if _is_of(rule, grant, view)]
            for grant, first_was in zip(has, was, strict=True):
                held = found[grant.unit]
                held.add_due(earns.due(first_was, held.add(grant, purchase.at)), purchase.at)
            for unit, due in earns.beside(was):
                found[unit].add_due(due, purchase.at)
    for unit, ended in ended_of(rule, bought, view).items():
        found[unit].ended = ended
    return found


def ended_of(rule: str, bought: Sequence[Bought], view: View) -> Mapping[str, Counter[datetime]]:
    """By unit and instant, how much of what a rule gave reached its term and was not taken since;
    less than nothing: that was taken twice."""
    found = defaultdict[str, Counter[datetime]](Counter)
    for purchase in bought:
        for (slug, whose, unit, then), amount in purchase.ended.items():
            if (slug, whose) == (view.program, rule) and amount:
                found[unit][then] += amount
    return found


class _Earning:
    """What a purchase earned, or earns now that it lifts its sum by what is left."""

    def __init__(
        self, one: Judging | None, first: PurchaseRecorded, given: Sequence[GrantView],
        known: dict[SumKey, int], view: View,
    ) -> None:  # fmt: skip
        self._first, self._known = first, known
        self._units: dict[str, int] = {}  # how much a unit has of each point
        self.was_outdone = False  # in whatever unit: by bounds, or by another rule of its group
        self._rule = rule = None if one is None else one.rule
        if one is None or rule is None or rule.over is None or rule.over.period is Period.ROLLING:
            return
        unit, per = one.config.unit_of(rule, first.currency), rule.per_in(first.currency)
        if unit is None or per is None:
            return
        self._per, self._places = per, unit_places(view, unit)
        self._units[unit] = 1
        for also in rule.also:
            if (factor := unit_places(view, also.unit) - self._places) >= 0:
                self._units[also.unit] = 10**factor
        mine = [grant for grant in given if _is_of(rule.id, grant, view)]
        self.was_outdone = (
            any(grant.cut_by == Reason.OUTBID or self._was_bounded(grant) for grant in mine)
            or _another_gave(one, given, view)
        )  # fmt: skip

    @property
    def units(self) -> Set[str]:
        return self._units.keys()

    def lifts(self, before: int, after: int) -> None:
        if self._rule is not None and self._units:
            self._lift = self._of(self._rule, before, after)
            self._bound = within_bounds(self._rule, self._lift, self._places)

    def due(self, was: GrantView, has: int) -> int:
        """Of what the member has by a grant that `was` made then."""
        if (factor := self._units.get(was.unit)) is None:
            return has
        if self.is_cut(was):
            return min(has, self._bound * factor)
        return self._bound * factor

    def beside(self, was: Sequence[GrantView]) -> Iterator[tuple[str, int]]:
        """In units in which there is no grant, for then there was nothing to give."""
        if not any(map(self.is_cut, was)):
            for unit in self._units.keys() - {grant.unit for grant in was}:
                yield unit, self.due(was[0]._replace(unit=unit), 0)

    def is_cut(self, was: GrantView) -> bool:
        """Whether something was lost of what its sum had earned by it, or added."""
        lost = was.wanted - was.granted - sum((was.postponed or {}).values())
        return bool(lost) or self.was_outdone

    def _of(self, rule: EarningRule, before: int, after: int) -> int:
        return max(self._points(rule, after) - self._points(rule, before), 0)

    def _points(self, rule: EarningRule, total: int) -> int:
        """One purchase ends where the next begins."""
        key = (id(rule), self._per, self._places, total)
        if (points := self._known.get(key)) is None:
            points = self._known[key] = points_of_sum(rule, total, self._per, self._places)
        return points

    def _was_bounded(self, was: GrantView) -> bool:
        """Whether `at_least` or `at_most` said what it wanted, as far as anybody can say."""
        rule = self._rule
        if rule is None or not self._units or not rule.is_bounded or was.cut_by in SAID:
            return False
        if (before := summed_before(rule, was.inputs or {})) is None:
            return True
        added = sum(summed(rule, counted(rule, self._first), paid(rule, self._first)))
        lift = self._of(rule, before, before + added)
        return within_bounds(rule, lift, self._places) != lift


class _Sums:
    """What each version's sums were before a purchase, had only what is left been bought."""

    def __init__(self, rule: str, program: Program, view: View) -> None:
        self._rule, self._program, self._view = rule, program, view
        self._sums: Counter[SumKey] = Counter()
        self._known: dict[SumKey, dict[object, EarningRule]] = {}

    def add(
        self, one: Judging | None, fact: PurchaseRecorded, grants: Sequence[GrantView], at: datetime
    ) -> tuple[int, int]:
        """The sum that judged a purchase, before and after it; every other that is kept by then
        goes on as well."""
        judged, mine = (0, 0), _variant(one)
        for variant, rule in self._kept(at).items():
            over = rule.over
            if over is None or over.period is Period.ROLLING:
                continue
            key = (variant, _currency(rule, fact), over.window(at, self._view.zone))
            before, added = self._sums[key], self._adds(rule, fact, grants)
            self._sums[key] += added
            if one is not None and variant == mine:
                if rule is not one.rule:
                    added = self._adds(one.rule, fact, grants)
                judged = before, before + added
        return judged

    def _adds(self, rule: EarningRule, fact: PurchaseRecorded, grants: Sequence[GrantView]) -> int:
        return summing(rule, fact.currency)(fact, grants, self._view.program)

    def _kept(self, at: datetime) -> Mapping[object, EarningRule]:
        """By what tells sums apart, the rule that measures each which is kept at an instant."""
        counting, now = self._program.counting(at), self._program.at(at)
        known = (None if now is None else now.id, *(version.id for version in counting))
        if (found := self._known.get(known)) is not None:
            return found
        found = self._known[known] = {}
        variants = map(self._variant_of, counting)
        for variant in dict.fromkeys(one for one in variants if one is not None):
            version = self._program.measuring(at, partial(self._adds_up, variant))
            if (one := judging(version, self._rule)) is not None:
                found[variant] = one.rule
        return found

    def _variant_of(self, version: ProgramVersion) -> object:
        return _variant(judging(version, self._rule))

    def _adds_up(self, variant: object, version: ProgramVersion) -> bool:
        return self._variant_of(version) == variant


def _variant(one: Judging | None) -> object:
    """What tells the sum of one version from that of another; None: it has no such rule."""
    return None if one is None else (one.rule.fingerprint, one.rule.over)


def _another_gave(one: Judging, given: Sequence[GrantView], view: View) -> bool:
    """Whether of a group of which one rule gives another one did."""
    group = one.rule.group
    if group is None or one.config.groups_by_id[group].grants is Grants.ALL:
        return False
    others = {rule.id for rule in one.config.rules if rule.group == group} - {one.rule.id}
    return any(
        grant.program == view.program and grant.rule in others and grant.wanted > 0
        for grant in given
    )


def _is_of(rule: str, grant: GrantView, view: View) -> bool:
    return (grant.program, grant.rule) == (view.program, rule)


def _currency(rule: EarningRule, fact: PurchaseRecorded) -> str | None:
    return fact.currency if rule.count is Count.AMOUNT else None
