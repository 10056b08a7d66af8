"""Decimal places of a unit that a config names."""

from loyalty.view import View


def unit_places(view: View, unit: str) -> int:
    """:raises LookupError: the tenant has no such unit any more"""
    places = view.setup.places(unit)
    if places is None:
        raise LookupError(f"program {view.program}: the tenant has no unit {unit}")
    return places
