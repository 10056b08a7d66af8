"""Changes as they are printed: a line each, signed."""

import json
from collections.abc import Iterator
from typing import Any

from loyalty_app.programs.plan import Plan
from loyalty_tenants.config_diff import Change, ChangeKind

SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.REMOVED: "-",
    ChangeKind.CHANGED: "~",
    ChangeKind.REORDERED: "~",
}
LONGEST = 300


def lines(plan: Plan) -> Iterator[str]:
    """What a plan would do."""
    if plan.current is None:
        yield f"+ program {plan.file.slug} ({plan.file.kind}), {plan.file.name!r}"
    for unit in plan.units:
        yield f"+ unit {unit['code']}"
    if plan.current is not None:
        yield from map(line, plan.changes)


def line(change: Change) -> str:
    said = f"{SIGNS[change.kind]} {change.path}: "
    match change.kind:
        case ChangeKind.ADDED:
            return said + _short(change.after)
        case ChangeKind.REMOVED:
            return said + _short(change.before)
        case ChangeKind.REORDERED:
            return said + f"order {_short(change.before)} -> {_short(change.after)}"
    return said + f"{_short(change.before)} -> {_short(change.after)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
