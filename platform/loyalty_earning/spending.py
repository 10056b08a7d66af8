"""How members spend what they earned, as a tenant writes it: what one redemption may ask for."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from loyalty_earning.notation import DecimalText, HoldDuration, PositiveText
from loyalty_earning.section import Section


class Reversible(Section):
    """Whether a captured redemption can be undone."""

    allowed: Annotated[bool, Field(strict=True)] = True
    """Whether a captured redemption may be reversed at all."""
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """Days that points past their term live again after a reversal; null: they stay expired."""


class Redemption(Section):
    """How members spend points."""

    minimum: DecimalText | None = None
    """The least that one redemption takes, in points; null: anything."""
    increment: PositiveText | None = None
    """One redemption takes a multiple of this many points; null: any amount."""
    hold_for: HoldDuration = timedelta(minutes=15)
    """How long points stay reserved where the request does not say; at most P30D."""
    reversible: Reversible = Reversible()
    """Whether and how a captured redemption can be undone."""
