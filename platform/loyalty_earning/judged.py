"""What became of a rule."""

from collections.abc import Callable, Mapping
from typing import Any

from loyalty.conditions import Verdict
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.reason import Reason

Inputs = dict[str, Any]
NO_PARTS: Mapping[str, int] = {}


class Judged:
    """What became of a rule: `parts` by line where it gives, else the `reason` why not.

    `inputs` may be a function: what a rule looked at is worked out when somebody asks.
    """

    __slots__ = ("_inputs", "counted", "parts", "reason", "rule", "verdict")

    def __init__(
        self,
        rule: EarningRule,
        parts: Mapping[str, int] = NO_PARTS,
        *,
        reason: Reason | None = None,
        inputs: Inputs | Callable[[], Inputs] | None = None,
        verdict: Verdict | None = None,
        counted: bool = False,
    ) -> None:
        self.rule = rule
        self.parts = parts
        self.reason = reason
        self._inputs = inputs
        self.verdict = verdict  # of a condition that does not hold
        self.counted = counted  # whether a running sum goes on, even if this adds no point

    @property
    def wanted(self) -> int:
        return sum(self.parts.values())

    @property
    def inputs(self) -> Inputs:
        found = self._inputs
        if not isinstance(found, dict):
            found = self._inputs = {} if found is None else found()
        return found

    def looked_at(self) -> Inputs:
        """What it looked at, the part of the condition that failed with what that read included."""
        if (verdict := self.verdict) is None:
            return self.inputs
        seen = {"condition": verdict.failed, "values": dict(verdict.values)}
        return seen if verdict.fault is None else seen | {"fault": verdict.fault}


def refused(rule: EarningRule, reason: Reason, inputs: Inputs | None = None) -> Judged:
    """A judgement by which the rule gives nothing."""
    return Judged(rule, reason=reason, inputs=inputs)
