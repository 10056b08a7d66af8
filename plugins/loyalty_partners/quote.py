"""What an offered amount comes to: how much is burned and credited, and what stays. Pure."""

from dataclasses import dataclass

from loyalty_partners.terms import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`burned + fee + kept` is what was offered. `owed` is money in minor units."""

    offered: int
    burned: int
    fee: int
    credited: int
    owed: int

    @property
    def kept(self) -> int:
        return self.offered - self.fee - self.burned


def quoted(flow: Flow, offered: int, currency: str) -> Quote | None:
    """The most that the offer is credited as, and the least that must be burned for it.

    None where it is credited as nothing. Of 3,100 at 3 to 1 are 3,099 burned, 1,033 credited, and 1
    is kept.
    """
    credited = max(0, offered - flow.fee) * flow.credit // flow.burn
    if credited == 0:
        return None
    return Quote(
        offered=offered,
        burned=-(-credited * flow.burn // flow.credit),
        fee=flow.fee,
        credited=credited,
        owed=flow.owed(credited, currency),
    )
