"""What ends is donated where the member chose so."""

from collections.abc import Iterator

from loyalty.effects import Effect, Emit, Post, Refuse, SetTrait
from loyalty.errors import Code
from loyalty.facts import Expired, MemberRef
from loyalty.ledger.account import BREAKAGE
from loyalty.view import View
from loyalty_points.commands import ChooseDonation
from loyalty_points.config import PointsConfig
from loyalty_points.facts import PointsDonated

CHARITY = "charity"
DONATES = "donates"


def may_be_donated(config: PointsConfig) -> bool:
    return config.expiry.donations


def choose(config: PointsConfig, command: ChooseDonation, view: View) -> Iterator[Effect]:
    """Keep the choice; it counts for all that ends from the next fact on."""
    if command.program != view.program:
        return
    if not config.expiry.donations:
        yield Refuse(
            code=Code.BAD_USER_INPUT,
            message="this program takes no donations of what ends (expiry.donations)",
            field="program",
        )
        return
    yield SetTrait(name=DONATES, value=command.donates)


def donate(config: PointsConfig, expired: Expired, view: View) -> Iterator[Effect]:
    """What ended came to the program's breakage: it goes on to the charity."""
    choice = view.traits.get(f"{view.program}.{DONATES}")
    if expired.program != view.program or view.member is None or not (choice and choice.value):
        return
    if expired.amount == 0:
        return
    yield Post(unit=expired.unit, source=BREAKAGE, target=CHARITY, amount=expired.amount)
    yield Emit(
        fact=PointsDonated(
            member=MemberRef(id=view.member.id), occurred_at=expired.occurred_at,
            program=view.program, unit=expired.unit,
            amount=view.text(expired.unit, expired.amount),
        )
    )  # fmt: skip
