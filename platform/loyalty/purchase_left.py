"""What is left of a purchase, as counters measure it."""

from dataclasses import dataclass

from loyalty.facts import PurchaseRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLeft(PurchaseRecorded):
    """As if no more than this had been bought; `bought` is all of it, before anything came back."""

    bought: PurchaseRecorded
