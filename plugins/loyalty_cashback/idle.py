"""Keys that do nothing beside the others in a cashback program: asked of drafts alone."""

from collections.abc import Iterator

from loyalty.plugin import IdleKey
from loyalty_cashback.config import CashbackConfig
from loyalty_cashback.payouts import Payouts
from loyalty_earning import idle as earning

NO_PAYOUT = (
    "nothing is paid out that could come back: give statement or on_request, or leave it out"
)


def idle(config: CashbackConfig) -> Iterator[IdleKey]:
    yield from earning.idle(config)
    payout = config.payout
    if payout.checkout is not None:
        yield from earning.of_redemption(payout.checkout, ("payout", "checkout"))
    given = payout.grace_days not in (None, Payouts().grace_days)
    if given and payout.statement is None and payout.on_request is None:
        yield ("payout", "grace_days"), NO_PAYOUT
