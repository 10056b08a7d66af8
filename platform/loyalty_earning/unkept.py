"""What an earlier version still owes, and a config would not keep: told before it is published."""

from collections.abc import Iterator

from loyalty_earning.caps import CapOn
from loyalty_earning.config import EarningConfig
from loyalty_earning.faults import Fault


def unkept(config: EarningConfig, before: EarningConfig) -> Iterator[Fault]:
    """Caps that cut points of one unit and would give them later as points of another.

    What a cap owes is one number under one name, which both versions read.
    """
    owing = {on.owed: on.unit for on in before.carrying.values()}
    for on in config.carrying.values():
        was = owing.get(on.owed, on.unit)
        if was != on.unit:
            text = f"carries over what it cut of {was}, and would give it as {on.unit}: "
            yield _place(on, config), text + _instead(on, was)


def _place(on: CapOn, config: EarningConfig) -> tuple[int | str, ...]:
    """Where the cap stands, or the unit that the rule of its own has."""
    kind, _, name = on.target.partition(".")
    if kind == "program":
        return ("caps",)
    if kind == "group":
        return "groups", [group.id for group in config.groups].index(name), "caps"
    at = [rule.id for rule in config.rules].index(name)
    return "rules", at, "caps" if config.rules[at].unit is None else "unit"


def _instead(on: CapOn, was: str) -> str:
    if on.target == "program":
        return f"leave its unit, and give {on.unit} in a program of its own"
    what = on.target.partition(".")[0]
    return (
        f"leave this {what} as it is, let it end by `effective`, and give {on.unit} by another "
        f"{what} with an id of its own"
    )
