"""Which judged rules give: of a group all, the best or the first."""

from collections.abc import Callable, Collection, Iterator, Sequence

from loyalty.kept import NotKept
from loyalty_earning.cutting import got
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.judging import Judged, Occasion, Reason

Judge = Callable[[EarningRule], Judged]


def combined(
    occasion: Occasion, rules: Sequence[EarningRule], judge: Judge, gave: Collection[str] = ()
) -> Iterator[Judged]:
    """Judge rules in their order, one at a time; a group is judged where its first rule stands.

    Those that another rule of their group outdid give nothing, for the reason OUTBID. `gave` are
    those that did as a decision says: it stands as it was made.
    """
    if not occasion.config.groups:
        return map(judge, rules)
    return _by_group(occasion, rules, judge, gave)


def _by_group(
    occasion: Occasion, rules: Sequence[EarningRule], judge: Judge, gave: Collection[str]
) -> Iterator[Judged]:
    seen: set[str] = set()
    for rule in rules:
        if rule.group is None:
            yield judge(rule)
        elif rule.group not in seen:
            seen.add(rule.group)
            group = [other for other in rules if other.group == rule.group]
            grants = occasion.config.groups_by_id[rule.group].grants
            yield from _chosen(occasion, grants, list(map(judge, group)), gave)


def _chosen(
    occasion: Occasion, grants: Grants, judged: list[Judged], gave: Collection[str]
) -> list[Judged]:
    giving = [one for one in judged if one.reason is None]
    if grants is Grants.ALL or len(giving) < 2:
        return judged
    gets = {one.rule.id: _got(occasion, one) for one in giving}

    def best(one: Judged) -> tuple[bool, int, int]:  # of equals the first
        return one.rule.id in gave, gets[one.rule.id], one.wanted

    def first(one: Judged) -> tuple[bool, bool, int]:
        return one.rule.id in gave, gets[one.rule.id] > 0, -(one.rule.priority or 0)

    winner = max(giving, key=best if grants is Grants.BEST else first)
    return [
        one if one.reason is not None or one is winner else _outbid(one, winner, gets)
        for one in judged
    ]


def _got(occasion: Occasion, judged: Judged) -> int:
    """What the rule gives under the caps of its own: those of groups and of the program hit all
    alike."""
    unit = occasion.unit_of(judged.rule)
    caps = occasion.config.own_caps.get((judged.rule.id, unit), ())
    try:
        return got(caps, judged.wanted, occasion.view.counters, occasion.places)
    except NotKept:  # recorded when it was not asked
        return judged.wanted


def _outbid(loser: Judged, winner: Judged, gets: dict[str, int]) -> Judged:
    inputs = loser.inputs | {"wanted": loser.wanted, "by": winner.rule.id}
    if (left := gets[loser.rule.id]) < loser.wanted:
        inputs["left"] = left
    return Judged(loser.rule, reason=Reason.OUTBID, inputs=inputs, counted=loser.counted)
