"""Settings of a tenant as clients write them: spans in seconds."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import strawberry

from loyalty_tenants.tenants import TenantSettings

FIELDS: Mapping[str, str] = MappingProxyType(
    {"backdating": "backdatingSeconds", "ahead": "aheadSeconds", "parking": "parkingSeconds"}
)
"""Fields of the input by their names in the domain."""


@strawberry.input
class TenantSettingsInput:
    """What of a tenant has a default."""

    total_tolerance: int | None = None
    """By how many minor units lines and tenders may miss a total; at first 0."""
    backdating_seconds: int | None = None
    """How late a fact may be recorded, at most 3,650 days; at first 30 days."""
    ahead_seconds: int | None = None
    """How far in the future a fact may lie, at most a day; at first 5 minutes."""
    parking_seconds: int | None = None
    """How long a return waits for its purchase, at most 365 days; at first 7 days."""
    enroll_on_purchase: bool | None = None
    """Whether a purchase of an unknown member enrolls them; at first it does not."""


def settings_of(
    given: TenantSettingsInput,
    *,
    name: str | None,
    zone: str | None,
    currencies: Sequence[str] | None,
) -> TenantSettings:
    return TenantSettings(
        name=name,
        zone=zone,
        currencies=currencies,
        total_tolerance=given.total_tolerance,
        backdating=_span(given.backdating_seconds),
        ahead=_span(given.ahead_seconds),
        parking=_span(given.parking_seconds),
        enroll_on_purchase=given.enroll_on_purchase,
    )


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
