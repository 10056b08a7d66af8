"""What a side is given, and what becomes of it when the order comes back. Pure."""

from collections.abc import Iterable, Iterator

from loyalty.effects import Effect, Emit, Write
from loyalty.facts import FactReversed
from loyalty.view import View
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.counting import friends_in
from loyalty_referrals.facts import FriendStands, RewardDue, Side
from loyalty_referrals.rows import Referral, SideRow
from loyalty_referrals.rules import giving, laddering
from loyalty_referrals.rules.qualifying import reopen
from loyalty_referrals.standing import is_lost, ladder_of, referral_of

LIMIT = "LIMIT"


def pay(config: ReferralsConfig, due: RewardDue, view: View) -> Iterable[Effect]:
    """Give a side its rewards, usable from the end of the return window on."""
    if due.program != view.program or view.member is None:
        return
    if due.side == Side.FRIEND:
        yield from giving.given(config.rewards.friend, due, view)
    elif view.key is not None:
        yield from _pay_referrer(config, due, view, view.key.key)


def undo(config: ReferralsConfig, undone: FactReversed, view: View) -> Iterable[Effect]:
    """An order came back: the friend's referral is open again, and a friend less stands."""
    if view.member is None:
        return
    before, after = referral_of(view), None
    for effect in reopen(undone, view):
        yield effect
        if isinstance(effect, Write) and isinstance(effect.row, Referral):
            after = effect.row
    fell = after is not None and after.key is None and before is not None and before.verdict.pays
    if fell and config.rewards.friend:
        yield giving.withdrawn(config.rewards.friend, Side.FRIEND.value, undone, view)
    yield from _undo_side(config, undone, view)
    yield from laddering.undo(config, undone, view)


def _pay_referrer(
    config: ReferralsConfig, due: RewardDue, view: View, key: str
) -> Iterator[Effect]:
    cut = next(
        (LIMIT for limit in config.limits if view.counters[friends_in(limit)] >= limit.times), None
    )
    yield Write(
        row=SideRow(
            friend=due.friend,
            key=key,
            stands=cut is None,
            goods=due.goods,
            least=due.least,
            pays_at=due.pays_at,
            cut=cut,
            change=0 if cut else 1,
        )
    )
    if cut is None:
        yield from giving.given(config.rewards.referrer, due, view)
        if not config.rewards.referrer:
            counted = FriendStands(
                member=due.member, occurred_at=due.occurred_at, program=view.program
            )
            yield Emit(fact=counted)
        friends = ladder_of(view).friends + 1
        yield from laddering.reach(config, friends, due.occurred_at, due.pays_at, view)


def _undo_side(config: ReferralsConfig, undone: FactReversed, view: View) -> Iterator[Effect]:
    ladder = ladder_of(view)
    side = ladder.side
    if side is None or not side.stands or not is_lost(undone.part, side.goods, side.least):
        return
    yield Write(
        row=SideRow(
            friend=side.friend,
            key=side.key,
            stands=False,
            goods=side.goods,
            least=side.least,
            pays_at=side.pays_at,
            cut=side.cut,
            change=-1,
        )
    )
    if config.rewards.referrer:
        yield giving.withdrawn(config.rewards.referrer, Side.REFERRER.value, undone, view)
    if undone.part != "1" and not any(one.unit for one in config.rewards.referrer):
        # No grant that is gone says that there is room under a limit again: all of it is undone.
        yield giving.undone(side.key, undone.occurred_at, view)
    yield from laddering.fall(config, ladder.friends - 1, undone, view)
