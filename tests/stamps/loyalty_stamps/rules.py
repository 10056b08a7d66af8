"""The rules of a punch card: pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from loyalty.effects import AccountingClass, Effect, Emit, Grant, SetTrait, Write
from loyalty.facts import (
    ActivityRecorded,
    FactReversed,
    MemberRef,
    PurchaseRecorded,
    PurchaseReversed,
    purchase_key,
)
from loyalty.view import Stage, View
from loyalty_stamps.config import StampsConfig
from loyalty_stamps.facts import CardExpired, CardFilled, FilledCard, StampGiven
from loyalty_stamps.rows import NO_CARD, BuddyRow, CardRow, GivenRow


def stamp_purchase(
    config: StampsConfig, purchase: PurchaseRecorded, view: View
) -> Iterable[Effect]:
    """A stamp for each line of the category, luck, and a stamp for the buddy."""
    stamps = _stamped_lines(config, purchase)
    if not stamps:
        return
    at = purchase.occurred_at
    yield from _punch(config, view, stamps + _luck(config, view), at)
    if config.buddy_stamps and (buddy := view.needs["buddy"]) is not None:
        yield Emit(fact=_given(MemberRef(id=buddy), at, view, config.buddy_stamps, "buddy"))
    if config.thanks_days is not None:
        later = at + timedelta(days=config.thanks_days)
        yield Emit(fact=_given(purchase.member, later, view, 1, "thanks"), at=later)


def stamp_activity(
    config: StampsConfig, activity: ActivityRecorded, view: View
) -> Iterable[Effect]:
    """Visits bring stamps; naming a buddy is kept."""
    if activity.type == "visit" and config.visit_stamps:
        yield from _punch(config, view, config.visit_stamps, activity.occurred_at)
    elif activity.type == "buddy" and isinstance(buddy := activity.attributes.get("buddy"), str):
        yield Write(row=BuddyRow(buddy))


def stamp_given(config: StampsConfig, given: StampGiven, view: View) -> Iterable[Effect]:
    if given.program == view.program:
        yield from _punch(config, view, given.stamps, given.occurred_at)


def reward(config: StampsConfig, filled: CardFilled, view: View) -> Iterable[Effect]:
    """Pay for full cards, and let others know how many there were."""
    if filled.program != view.program:
        return
    wanted = config.reward * filled.cards
    yield _grant(config, wanted, wanted, "card", "Card filled")
    yield SetTrait(name="cards_filled", value=_cards_filled(view) + filled.cards)


def welcome(config: StampsConfig, filled: FilledCard, view: View) -> Iterable[Effect]:
    """The first card of a member brings more."""
    if filled.program == view.program and config.first_card and not _cards_filled(view):
        yield _grant(config, config.first_card, config.first_card, "first-card", "First card")


def keep_to_budget(config: StampsConfig, filled: CardFilled, view: View) -> Iterable[Effect]:
    """No more than the month's budget, over all members."""
    if config.budget_per_month is None:
        return
    left = max(0, config.budget_per_month - view.counters["paid"])
    for grant in view.grants:
        if (grant.program, grant.rule) == (view.program, "card") and grant.granted > left:
            yield _grant(config, grant.wanted, left, "card", "Card filled", cut_by="BUDGET")


def add_extra(config: StampsConfig, purchase: PurchaseRecorded, view: View) -> Iterable[Effect]:
    """More of what the other programs gave as their base."""
    base = view.granted(config.unit, up_to=Stage.BASE)
    extra = base * config.extra_percent // 100
    if extra and _stamped_lines(config, purchase):
        yield _grant(config, extra, extra, "extra", "Extra for stamps")


def expire(config: StampsConfig, expired: CardExpired, view: View) -> Iterable[Effect]:
    """Throw away a card that reached its end, unless a new one began since."""
    card = _last_card(view)
    ended = card.ends_at is not None and card.ends_at <= expired.occurred_at
    if expired.program == view.program and ended:
        yield Write(row=NO_CARD)


def undo_purchase(config: StampsConfig, returned: PurchaseReversed, view: View) -> Iterable[Effect]:
    key = purchase_key(returned.source, returned.purchase_external_id, returned.purchase_revision)
    yield from _undo(view, key.scope, key.key)


def undo_follow_on(config: StampsConfig, undone: FactReversed, view: View) -> Iterable[Effect]:
    yield from _undo(view, undone.reversed_scope, undone.reversed_key)


def _undo(view: View, scope: str, key: str) -> Iterator[Effect]:
    """Take a fact's stamps off the open card, as far as they are on it; once."""
    since = sum(
        row.stamps
        for row in view.written
        if isinstance(row, GivenRow) and (row.scope, row.key) == (scope, key)
    )
    if stamps := (view.needs["given"] or 0) + since:
        card = _last_card(view)
        yield Write(row=GivenRow(scope, key, -stamps))
        yield Write(row=CardRow(max(0, card.stamps - stamps), card.ends_at))


def _punch(config: StampsConfig, view: View, stamps: int, at: datetime) -> Iterator[Effect]:
    card = _open_card(view, at)
    total = card.stamps + stamps
    cards = total // config.needed
    if config.cards_per_month is not None:
        cards = min(cards, max(0, config.cards_per_month - view.counters["filled"]))
    rest = total - cards * config.needed
    began_before = card.stamps > 0 and not cards
    ends_at = card.ends_at if began_before else _end(config, at)
    yield Write(row=CardRow(rest, ends_at if rest else None))
    if view.key is not None:
        yield Write(row=GivenRow(view.key.scope, view.key.key, stamps))
    if cards and view.member is not None:
        member = MemberRef(id=view.member.id)
        yield Emit(
            fact=CardFilled(member=member, occurred_at=at, program=view.program, cards=cards)
        )


def _last_card(view: View) -> CardRow:
    """The member's card as it was loaded, or as it was written since."""
    since = [row for row in view.written if isinstance(row, CardRow)]
    return since[-1] if since else view.needs["card"] or NO_CARD


def _open_card(view: View, at: datetime) -> CardRow:
    card = _last_card(view)
    return NO_CARD if card.ends_at is not None and card.ends_at <= at else card


def _end(config: StampsConfig, at: datetime) -> datetime | None:
    return None if config.card_days is None else at + timedelta(days=config.card_days)


def _stamped_lines(config: StampsConfig, purchase: PurchaseRecorded) -> int:
    wanted = config.category
    return sum(
        line.category is not None
        and (line.category == wanted or line.category.startswith(f"{wanted}/"))
        for line in purchase.lines
    )


def _luck(config: StampsConfig, view: View) -> int:
    if config.lucky_one_in is None:
        return 0
    roll = view.chance("lucky stamp")
    return int(roll is not None and roll * config.lucky_one_in < 1)


def _given(
    member: MemberRef | None, at: datetime, view: View, stamps: int, reason: str
) -> StampGiven:
    return StampGiven(
        member=member, occurred_at=at, program=view.program, stamps=stamps, reason=reason
    )


def _cards_filled(view: View) -> int:
    trait = view.traits.get(f"{view.program}.cards_filled")
    return int(trait.value) if trait else 0


def _grant(
    config: StampsConfig, wanted: int, granted: int, rule: str, label: str,
    cut_by: str | None = None,
) -> Grant:  # fmt: skip
    return Grant(
        unit=config.unit,
        wanted=wanted,
        granted=granted,
        rule=rule,
        label=label,
        accounting_class=AccountingClass.MARKETING,
        cut_by=cut_by,
    )
