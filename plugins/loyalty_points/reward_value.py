"""What a reward takes off a basket. Pure: the same terms and basket give the same value."""

from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty.units import Rounding, divided, ratio
from loyalty_earning.measures import THOUSANDTHS
from loyalty_points.rewards import Reward, RewardKind


def value_of(reward: Reward, purchase: PurchaseRecorded) -> int | None:
    """Minor units of the purchase's currency, never more than what it is taken off costs.

    Of an item it is the price of one piece, of the dearest where there are several. None: the
    reward has no amount in this currency.
    """
    lines = [line for line in purchase.lines if line.kind is LineKind.PRODUCT and line.net > 0]
    if reward.kind is RewardKind.ITEM:
        return max((_piece(line) for line in lines if line.sku == reward.item), default=0)
    every = reward.scope.is_empty
    price = sum(line.net for line in lines if every or reward.scope.names(line))
    if reward.kind is RewardKind.AMOUNT:
        amount = reward.amount_minor.get(purchase.currency)
        return None if amount is None else min(amount, price)
    part = ratio(reward.percent or "0")
    value = divided(price * part.numerator, 100 * part.denominator, Rounding.HALF_UP)
    if reward.maximum is None:
        return value
    most = reward.maximum_minor.get(purchase.currency)
    return None if most is None else min(value, most)


def _piece(line: Line) -> int:
    if line.quantity <= THOUSANDTHS:
        return line.net
    return divided(line.net * THOUSANDTHS, line.quantity, Rounding.HALF_UP)
