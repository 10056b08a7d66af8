"""Steps of a ladder: each stands as long as so many friends do. Pure.

A step is a settlement of its own, so that it can be undone by itself. Who reached it does not
matter: whichever friend's order comes back, what decides is how many stand then.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from loyalty.effects import Effect, Emit, Write
from loyalty.facts import FactReversed, MemberRef
from loyalty.view import View
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.facts import RewardDue, Side, StepReached
from loyalty_referrals.rows import StepRow
from loyalty_referrals.rules import giving
from loyalty_referrals.standing import ladder_of

STEP = "step"


def reach(
    config: ReferralsConfig, friends: int, at: datetime, pays_at: datetime, view: View
) -> Iterator[Effect]:
    """Have each step looked at that is reached and does not stand."""
    assert view.member is not None
    steps = ladder_of(view).steps
    for step in config.rewards.ladder:
        known = steps.get(step.id)
        if step.friends <= friends and not (known is not None and known.stands):
            reached = StepReached(
                member=MemberRef(id=view.member.id), occurred_at=at, program=view.program,
                step=step.id, pays_at=pays_at,
            )  # fmt: skip
            yield Emit(fact=reached, apart=True)


def fall(
    config: ReferralsConfig, friends: int, undone: FactReversed, view: View
) -> Iterator[Effect]:
    """Have each step undone that stands and is not reached any more."""
    assert view.member is not None
    steps = config.rewards.steps
    for known in ladder_of(view).steps.values():
        step = steps.get(known.step)
        if known.stands and step is not None and step.friends > friends:
            yield giving.undone(known.key, undone.occurred_at, view)


def stand(config: ReferralsConfig, reached: StepReached, view: View) -> Iterable[Effect]:
    """Give a step's reward, if it is still reached and nobody gave it in the meantime."""
    step = config.rewards.steps.get(reached.step)
    if reached.program != view.program or view.member is None or view.key is None or step is None:
        return
    ladder = ladder_of(view)
    known = ladder.steps.get(step.id)
    if ladder.friends < step.friends or (known is not None and known.stands):
        return
    pays_at = ladder.closed_at(step.friends, reached.pays_at)
    yield Write(row=StepRow(step=step.id, key=view.key.key, stands=True, pays_at=pays_at))
    due = RewardDue(
        member=reached.member, occurred_at=reached.occurred_at, program=view.program,
        side=Side.REFERRER.value, friend=view.member.id, pays_at=pays_at,
    )  # fmt: skip
    yield from giving.given((step,), due, view, side=STEP)


def undo(config: ReferralsConfig, undone: FactReversed, view: View) -> Iterator[Effect]:
    """A step was undone, with the friend who reached it or because too few stand. Where enough do
    all the same it is given anew."""
    assert view.member is not None
    ladder = ladder_of(view)
    known = ladder.step
    if known is None or undone.part != "1":
        return
    now = ladder.steps.get(known.step)
    if now is None or now.key != known.key or not now.stands:
        return
    yield Write(row=StepRow(step=known.step, key=known.key, stands=False, pays_at=known.pays_at))
    step = config.rewards.steps.get(known.step)
    if step is None:
        return
    yield giving.withdrawn((step,), STEP, undone, view)
    if ladder.friends >= step.friends:
        again = StepReached(
            member=MemberRef(id=view.member.id), occurred_at=undone.occurred_at,
            program=view.program, step=step.id, pays_at=known.pays_at,
        )  # fmt: skip
        yield Emit(fact=again, apart=True)
