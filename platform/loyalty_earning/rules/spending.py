"""What one redemption may ask for, and the hold or burn that carries it out."""

from datetime import datetime, timedelta

from loyalty.commands import Redeem
from loyalty.effects import Burn, Hold, Refuse, Reinstate
from loyalty.errors import Code
from loyalty.units import ratio
from loyalty_earning.notation import HOLD_MAX
from loyalty_earning.spending import Redemption, Reversible


def taken(redemption: Redemption, command: Redeem, amount: int, until: datetime) -> Burn | Hold:
    """Take it at once where the command says so; else reserve it."""
    reversible = reinstated(redemption.reversible)
    if command.capture:
        return Burn(unit=command.unit, amount=amount, reversible=reversible)
    return Hold(unit=command.unit, amount=amount, until=until, reversible=reversible)


def held_until(redemption: Redemption, command: Redeem) -> datetime:
    return command.occurred_at + (command.hold_for or redemption.hold_for)


def hold_declined(command: Redeem) -> Refuse | None:
    """Why it cannot be reserved for as long as the command says, if so."""
    held = command.hold_for
    if held is None or timedelta(0) < held <= HOLD_MAX:
        return None
    return Refuse(
        code=Code.BAD_USER_INPUT,
        message="must be more than nothing and at most P30D",
        field="holdFor",
    )


def amount_declined(redemption: Redemption, amount: int, places: int) -> Refuse | None:
    """Why a redemption cannot take as much of the program's unit, if so."""
    minimum, increment = redemption.minimum, redemption.increment
    if minimum is not None and amount < ratio(minimum) * 10**places:
        return bad_amount(f"must be at least {minimum}", minimum=minimum)
    if increment is not None and amount % (ratio(increment) * 10**places):
        return bad_amount(f"must be a multiple of {increment}", increment=increment)
    return None


def bad_amount(message: str, **details: str) -> Refuse:
    return Refuse(code=Code.BAD_AMOUNT, message=message, field="amount", details=details)


def reinstated(reversible: Reversible) -> Reinstate:
    days = reversible.grace_days
    return Reinstate(
        allowed=reversible.allowed, grace=None if days is None else timedelta(days=days)
    )
