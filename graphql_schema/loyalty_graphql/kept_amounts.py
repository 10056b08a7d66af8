"""Amounts as they are kept about corrections and thresholds, in minor units; nobody who reads them
should have to count places."""

from collections.abc import Mapping
from typing import Any

from loyalty.setup import Setup
from loyalty.units import format_minor

AMOUNTS = frozenset({"gives", "takes"})


def in_decimals(kept: Mapping[str, Any], setup: Setup) -> dict[str, Any]:
    """What was kept, with amounts as decimals of their unit: those beside a `unit`, and thresholds
    (`above`) by unit. What is no amount is left as it is."""
    details = dict(kept)
    if isinstance(unit := kept.get("unit"), str):
        for key in AMOUNTS & kept.keys():
            details[key] = _text(setup, unit, kept[key])
    if isinstance(above := kept.get("above"), Mapping):
        details["above"] = {unit: _text(setup, unit, minor) for unit, minor in above.items()}
    return details


def _text(setup: Setup, unit: str, minor: Any) -> Any:
    if not isinstance(minor, int) or isinstance(minor, bool):
        return minor
    return format_minor(minor, setup.places(unit) or 0)
