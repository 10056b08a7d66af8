"""When a friend qualifies, and what follows from it for both sides. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from loyalty.days import Span, SpanEnd, span_end
from loyalty.effects import Effect, Emit, Write
from loyalty.facts import Fact, FactReversed, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.view import View
from loyalty_referrals.config import By, ReferralsConfig, Via
from loyalty_referrals.counting import ORDERS, counts_orders, goods_of, least_of, reaches, reaching
from loyalty_referrals.facts import (
    Qualified,
    Reconsidered,
    RewardDue,
    Side,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from loyalty_referrals.guards import Verdict
from loyalty_referrals.needs import CODE, SIGNALS
from loyalty_referrals.rows import Looked, Referral, Spare
from loyalty_referrals.rules import giving
from loyalty_referrals.rules.attributing import flagged, kept_signals, named
from loyalty_referrals.rules.judging import judged
from loyalty_referrals.standing import is_lost, referral_of

TRIAL = "TRIALING"


def buy(config: ReferralsConfig, purchase: PurchaseRecorded, view: View) -> Iterable[Effect]:
    """An order may name a code, and it may be the one that qualifies."""
    if view.member is None:
        return
    yield from kept_signals(view.needs.get(SIGNALS) or {})
    row, new = referral_of(view), False
    looked: Looked | None = view.needs.get(CODE)
    first = Via.FIRST_ORDER in config.attribution.via and looked is not None
    if first and looked is not None and not view.counters[ORDERS]:
        for effect in named(
            config, view, view.member, looked, Via.FIRST_ORDER, purchase.occurred_at
        ):
            yield effect
            if isinstance(effect, Write) and isinstance(effect.row, Referral):
                row, new = effect.row, True
    if row is None or (row.own_code and not new) or not _waits(row, purchase.occurred_at):
        return
    goods, least = goods_of(purchase), least_of(config.qualify, purchase.currency)
    if config.qualify.by is not By.ORDER or least is None or goods < max(least, 1):
        return
    order = config.qualify.order
    if order > 1 and view.counters[reaching(config.qualify)] + 1 < order:
        return
    yield _stored(view, view.member.id, purchase, goods, least)


def subscribe(
    config: ReferralsConfig, fact: SubscriptionStarted | SubscriptionRenewed, view: View
) -> Iterable[Effect]:
    """A subscription that is paid for qualifies: when it starts, or when its trial ended well."""
    row, wanted = referral_of(view), config.qualify
    if view.member is None or row is None or wanted.by is not By.SUBSCRIPTION:
        return
    on_trial = isinstance(fact, SubscriptionStarted) and fact.status == TRIAL
    if on_trial or (wanted.plans and fact.plan not in wanted.plans):
        return
    if _waits(row, fact.occurred_at):
        yield _stored(view, view.member.id, fact, 0, 0)


def qualify(config: ReferralsConfig, fact: Qualified, view: View) -> Iterable[Effect]:
    """The friend qualifies by this fact if nothing else did before. Guards look once more, for the
    order may have told more about who it is."""
    row = referral_of(view)
    if fact.program != view.program or view.member is None or view.key is None or row is None:
        return
    if not _in_time(row, fact.occurred_at):
        return
    if _too_few(config, view):
        return
    spare = Spare(
        key=view.key.key, fact_id=None, at=fact.occurred_at, goods=fact.goods, least=fact.least
    )
    if row.key is not None:
        yield Write(row=replace(row, spares=(*row.spares, spare)))
    else:
        yield from _qualified(config, row, spare, view, view.member.id)


def reconsider(config: ReferralsConfig, fact: Reconsidered, view: View) -> Iterable[Effect]:
    """Let the next order qualify the friend that would have, had the first one not been there."""
    row = referral_of(view)
    if fact.program != view.program or view.member is None or row is None:
        return
    if _too_few(config, view):
        return
    if row.key is None and row.spares and row.verdict is not Verdict.REFUSED:
        spare, *others = row.spares
        row = replace(row, spares=tuple(others))
        yield from _qualified(config, row, spare, view, view.member.id)


def bring_back(config: ReferralsConfig, returned: PurchaseReversed, view: View) -> Iterable[Effect]:
    """One of the orders that made the friend qualify came back: of those that are left there must
    be enough, whichever was the last."""
    row, back = referral_of(view), view.came_back
    if row is None or row.key is None or back is None:
        return
    fell = reaches(config.qualify, back.before) - reaches(config.qualify, back.left)
    if fell and view.counters[reaching(config.qualify)] - fell < config.qualify.order:
        yield giving.undone(row.key, returned.occurred_at, view)


def reopen(undone: FactReversed, view: View) -> Iterator[Effect]:
    """What qualified the friend came back: the referral is open again, for as long as it was to
    be. What both sides had of it is undone by the kernel, as all that followed from that fact."""
    row = referral_of(view)
    if row is None or view.member is None:
        return
    left = tuple(
        spare
        for spare in row.spares
        if spare.key != undone.reversed_key or not is_lost(undone.part, spare.goods, spare.least)
    )
    if row.key == undone.reversed_key and is_lost(undone.part, row.goods, row.least):
        yield Write(
            row=replace(
                row, key=None, fact_id=None, qualified_at=None, pays_at=None, goods=0, least=0
            )
        )
        if row.spares:
            again = Reconsidered(
                member=MemberRef(id=view.member.id), occurred_at=row.spares[0].at,
                program=view.program,
            )  # fmt: skip
            yield Emit(fact=again, apart=True)
    elif left != row.spares:
        yield Write(row=replace(row, spares=left))


def _qualified(
    config: ReferralsConfig, row: Referral, by: Spare, view: View, friend: UUID
) -> Iterator[Effect]:
    """The friend qualifies by an order. Guards look once more."""
    after = replace(
        judged(config, row, view), key=by.key, fact_id=by.fact_id, qualified_at=by.at,
        goods=by.goods, least=by.least, pays_at=_pays_at(config, by.at, view),
    )  # fmt: skip
    yield Write(row=after)
    if (after.verdict, after.reasons) != (row.verdict, row.reasons):
        yield Emit(fact=flagged(view, MemberRef(id=friend), after, by.at))
    if after.verdict.pays:
        yield from pay_both(view, after, friend, by.fact_id)


def pay_both(view: View, row: Referral, friend: UUID, of: UUID | None) -> Iterator[Effect]:
    """Let both sides have their rewards; `of` is the fact that they are undone with, where it is
    not this one."""
    assert row.qualified_at is not None
    assert row.pays_at is not None
    for side, member in ((Side.FRIEND, friend), (Side.REFERRER, row.referrer)):
        due = RewardDue(
            member=MemberRef(id=member), occurred_at=row.qualified_at, program=view.program,
            side=side.value, friend=friend, pays_at=row.pays_at, goods=row.goods, least=row.least,
        )  # fmt: skip
        inline = side is Side.FRIEND and of is None
        yield Emit(fact=due, of=of, apart=not inline)


def _too_few(config: ReferralsConfig, view: View) -> bool:
    """Whether orders that were counted when this was stored came back since."""
    if not counts_orders(config):
        return False
    return view.counters[reaching(config.qualify)] < config.qualify.order


def _waits(row: Referral, at: datetime) -> bool:
    """Whether something that happens then may qualify the friend, or stand in for what did as long
    as that may come back."""
    return _in_time(row, at) and (row.pays_at is None or at < row.pays_at)


def _in_time(row: Referral, at: datetime) -> bool:
    in_time = row.attributed_at <= at and (row.open_until is None or at < row.open_until)
    return row.verdict is not Verdict.REFUSED and in_time


def _stored(view: View, friend: UUID, fact: Fact, goods: int, least: int) -> Effect:
    qualified = Qualified(
        member=MemberRef(id=friend), occurred_at=fact.occurred_at, program=view.program,
        goods=goods, least=least,
    )  # fmt: skip
    return Emit(fact=qualified, apart=True)


def _pays_at(config: ReferralsConfig, at: datetime, view: View) -> datetime:
    if not config.hold_days:
        return at
    return span_end(at, Span(days=config.hold_days), view.zone, SpanEnd.EXACT)
