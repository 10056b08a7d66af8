"""The door for payment providers: `POST /in/<tenant>/subscriptions`. Stripe speaks here."""

from collections.abc import Sequence
from typing import Any

from loyalty.plugin import Inbound, InboundEvent
from loyalty_subscriptions.stripe.events import event
from loyalty_subscriptions.stripe.signature import signed


def events(payload: Any) -> Sequence[InboundEvent]:
    """:raises ValueError: it is none of the provider's"""
    if not isinstance(payload, dict):
        raise ValueError("a delivery is an object")
    return [event(payload)]


inbound = Inbound(verify=signed, facts=events)
