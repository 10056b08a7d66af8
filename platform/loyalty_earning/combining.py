"""Which judged rules give: of a group all, the best or the first."""

from collections.abc import Callable, Iterator, Sequence

from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Grants
from loyalty_earning.judging import Judged, Reason


def combined(
    config: EarningConfig, rules: Sequence[EarningRule], judge: Callable[[EarningRule], Judged]
) -> Iterator[Judged]:
    """Judge rules in their order, one at a time; a group is judged where its first rule stands.

    Those that another rule of their group outdid give nothing, for the reason OUTBID.
    """
    return _by_group(config, rules, judge) if config.groups else map(judge, rules)


def _by_group(
    config: EarningConfig, rules: Sequence[EarningRule], judge: Callable[[EarningRule], Judged]
) -> Iterator[Judged]:
    seen: set[str] = set()
    for rule in rules:
        if rule.group is None:
            yield judge(rule)
        elif rule.group not in seen:
            seen.add(rule.group)
            group = [other for other in rules if other.group == rule.group]
            yield from _chosen(config.groups_by_id[rule.group].grants, list(map(judge, group)))


def _chosen(grants: Grants, judged: list[Judged]) -> list[Judged]:
    giving = [one for one in judged if one.reason is None]
    if grants is Grants.ALL or len(giving) < 2:
        return judged
    if grants is Grants.BEST:
        winner = max(giving, key=lambda one: one.wanted)  # of equals the first
    else:
        winner = min(giving, key=lambda one: one.rule.priority or 0)
    return [
        one if one.reason is not None or one is winner else _outbid(one, winner) for one in judged
    ]


def _outbid(loser: Judged, winner: Judged) -> Judged:
    inputs = loser.inputs | {"wanted": loser.wanted, "by": winner.rule.id}
    return Judged(loser.rule, reason=Reason.OUTBID, inputs=inputs, counted=loser.counted)
