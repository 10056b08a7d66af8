"""Which earning rules can be bonuses of a tier."""

from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from loyalty_earning.earning_rule import EarningRule


def check(rules: Iterable[EarningRule]) -> None:
    """:raises PydanticCustomError: one of them is more than a bonus of a tier can be"""
    seen: set[str] = set()
    for rule in rules:
        for wrong, fault in (
            (rule.id in seen, f"the id {rule.id} is used before: they differ in a ladder"),
            (rule.bonus is None, f"{rule.id} needs `bonus`: a tier earns on what others grant"),
            (rule.unit is None, f"{rule.id} needs `unit`: which one is it a bonus of?"),
            (rule.group is not None, f"{rule.id} stands for itself: leave group out"),
            (bool(rule.choices), f"{rule.id} names a choice, which a ladder has none of"),
            (bool(rule.bonus and rule.bonus.rules), f"{rule.id}: `rules` of a bonus are rules of "
             "its own program, which a ladder has none of"),
            (any(one.carry_over for one in rule.caps), f"{rule.id}: nothing is carried over here"),
        ):  # fmt: skip
            if wrong:
                raise PydanticCustomError("bonus", "{fault}", {"fault": fault})
        seen.add(rule.id)
