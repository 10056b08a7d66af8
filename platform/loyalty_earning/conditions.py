"""Conditions of this program's rules: which names they know, and in which currency they count."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated

from pydantic import Field
from pydantic_core import PydanticCustomError

from loyalty.conditions import ACTIVITY, PURCHASE, Condition, ConditionFault, compiled

ConditionText = Annotated[str, Field(min_length=1, max_length=4000)]

# A condition is read while its config is validated, and only the whole config knows the currency.
_currency: ContextVar[str | None] = ContextVar("currency of the config being read", default=None)


@contextmanager
def counted_in(currency: str | None) -> Iterator[None]:
    """Within it `amount("25.00")` means this currency."""
    token = _currency.set(currency)
    try:
        yield
    finally:
        _currency.reset(token)


def condition_of(source: str, *, activity: bool) -> Condition:
    """The compiled condition of a rule about purchases, or about activities.

    :raises PydanticCustomError: it cannot be compiled; the message shows where
    """
    try:
        return compiled(source, ACTIVITY if activity else PURCHASE, currency=_currency.get())
    except ConditionFault as fault:
        raise PydanticCustomError("condition", "{fault}", {"fault": str(fault)}) from None
