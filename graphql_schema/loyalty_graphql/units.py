"""Units as clients name them."""

from loyalty.errors import Code, Refused
from loyalty.setup import Setup
from loyalty.units import Unit


def unit_of(setup: Setup, code: str, field: str = "unit") -> Unit:
    """The tenant's unit by its code.

    :raises Refused: UNIT_NOT_FOUND
    """
    if (unit := setup.units.get(code)) is None:
        raise no_unit(setup, code, field)
    return unit


def no_unit(setup: Setup, code: str, field: str = "unit") -> Refused:
    """The refusal of a code that is none of the tenant's units."""
    return Refused(
        Code.UNIT_NOT_FOUND,
        f"the tenant has no unit {code!r}" if len(code) <= 64 else "there is no such unit",
        field=field,
        details={"units": sorted(setup.units)},
    )
