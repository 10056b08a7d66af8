"""What a rule measures of a purchase or an activity."""

from enum import StrEnum

THOUSANDTHS = 1000  # quantities have three decimal places, and so have visits and attributes here


class Count(StrEnum):
    """What is multiplied with the rate."""

    AMOUNT = "amount"  # money, per `per`
    QUANTITY = "quantity"  # pieces of what counts, per `per_units`
    VISIT = "visit"  # once for the whole purchase or activity
    ATTRIBUTE = "attribute"  # a number in the attributes, per `per_units`


class AmountBase(StrEnum):
    """Which amount of a line counts: before (gross) or after (net) discount, with tax or not."""

    NET = "net"
    NET_WITH_TAX = "net_with_tax"
    GROSS = "gross"
    GROSS_WITH_TAX = "gross_with_tax"

    discounted: bool
    taxed: bool

    def __init__(self, text: str) -> None:
        self.discounted = text.startswith("net")
        self.taxed = text.endswith("_with_tax")


class MinimumLost(StrEnum):
    """What becomes of a rule's points when its minimum is lost by a return."""

    KEEP = "keep"
    RECOMPUTE = "recompute"


class Rounded(StrEnum):
    """Over what a rule rounds: once for each line, or once for the whole order."""

    LINE = "line"
    ORDER = "order"
