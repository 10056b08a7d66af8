"""What else happens to points that end, as a tenant writes it."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from loyalty_earning.section import Section

NOTICES_MAX = 10
Days = Annotated[int, Field(strict=True, ge=1, le=366)]


def _differ(days: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(days)) < len(days):
        raise PydanticCustomError("days", "names the same number of days twice")
    return days


class Expiry(Section):
    """What is told of points before they end, and where they go then."""

    notices: Annotated[
        tuple[Days, ...], Field(max_length=NOTICES_MAX), AfterValidator(_differ)
    ] = ()
    """So many days ahead it is told how much of a member's ends on one day: once, and only if
    something of it is left."""
    donations: Annotated[bool, Field(strict=True)] = False
    """Whether members may choose that what ends is donated: it goes on to the account charity."""
