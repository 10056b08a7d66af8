"""Dollars that were published as floats, made exact again."""

from typing import Any

# Far above the noise of a float of this size (1e-11), far below a tenth of a cent.
NOISE_MAX = 1e-6


def cents(dollars: Any) -> Any:
    """Whole cents (a numpy array of int64) of a pandas column of floats.

    :raises ValueError: an amount is not a whole number of cents, or is negative
    """
    scaled = dollars.to_numpy() * 100
    whole = scaled.round()
    if abs(scaled - whole).max(initial=0) > NOISE_MAX:
        raise ValueError(f"{dollars.name} has amounts that are not whole cents")
    if whole.min(initial=0) < 0:
        raise ValueError(f"{dollars.name} has negative amounts")
    return whole.astype("int64")


def texts(minor: Any, places: int) -> list[str]:
    """Decimal strings of whole numbers, each different one written once: 1205 -> `12.05`."""
    import numpy

    from loyalty.units import format_minor

    values, at = numpy.unique(minor, return_inverse=True)
    written = numpy.array([format_minor(value, places) for value in values.tolist()], dtype=object)
    found: list[str] = written[at].tolist()
    return found
