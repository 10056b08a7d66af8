"""Rewards as grants, and the facts that tell of them. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from loyalty.effects import Effect, Emit, Grant, Least
from loyalty.facts import FactReversed, MemberRef
from loyalty.settlement.sale import WHOLE
from loyalty.units import Rounding, ratio, rounded
from loyalty.view import View
from loyalty_earning.lifetime import end_of
from loyalty_referrals.facts import RewardDue, Rewarded, Withdrawn
from loyalty_referrals.reward import Reward

FOLLOW = "follow"  # the scope of the keys that settlements which follow from others go by


def given(
    rewards: Sequence[Reward], due: RewardDue, view: View, side: str = ""
) -> Iterator[Effect]:
    """The grants of these rewards, and the fact that tells of them."""
    if not rewards or view.member is None:
        return
    side, units = side or due.side, False
    for reward in rewards:
        if (grant := granted(reward, due, view, side)) is not None:
            units = True
            yield grant
    yield Emit(
        fact=Rewarded(
            member=MemberRef(id=view.member.id),
            occurred_at=due.occurred_at,
            program=view.program,
            side=side,
            rewards=tuple(one.id for one in rewards),
            units=units,
            challenges=challenges_of(rewards),
            available_at=due.pays_at,
        )
    )


def granted(reward: Reward, due: RewardDue, view: View, side: str) -> Grant | None:
    """A reward as a grant; None where it is a challenge, or less than its unit has places for."""
    if reward.unit is None or reward.amount is None:
        return None
    places = view.places(reward.unit)
    amount = rounded(ratio(reward.amount) * 10**places, Rounding.FLOOR)
    if not amount:
        return None
    lifetime, at = reward.lifetime, due.pays_at
    least = Least(amount=max(due.least, 1), of={WHOLE: due.goods})
    return Grant(
        unit=reward.unit,
        wanted=amount,
        granted=amount,
        rule=reward.id,
        label=reward.label,
        accounting_class=reward.accounting_class,
        available_at=at,
        settles_at=at,
        expires_at=None if lifetime is None else end_of(lifetime, at, view.zone),
        take_back=reward.take_back,
        while_left=(least,) if due.goods else (),
        whole=True,
        inputs={"side": side},
    )


def challenges_of(rewards: Sequence[Reward]) -> tuple[str, ...]:
    return tuple(one.challenge for one in rewards if one.challenge is not None)


def undone(key: str, at: datetime, view: View) -> Effect:
    """Have a settlement undone that followed from another, in its own turn: all that it gave."""
    assert view.member is not None
    back = FactReversed(
        member=MemberRef(id=view.member.id), occurred_at=at, reversed_scope=FOLLOW,
        reversed_key=key, part="1",
    )  # fmt: skip
    return Emit(fact=back, apart=True)


def withdrawn(rewards: Sequence[Reward], side: str, undone: FactReversed, view: View) -> Effect:
    assert view.member is not None
    fact = Withdrawn(
        member=MemberRef(id=view.member.id), occurred_at=undone.occurred_at, program=view.program,
        side=side, rewards=tuple(one.id for one in rewards), challenges=challenges_of(rewards),
    )  # fmt: skip
    return Emit(fact=fact)
