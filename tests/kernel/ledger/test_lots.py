"""Lots: the order in which they burn, and which of them pay an amount."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from loyalty.ids import NIL
from loyalty.ledger.lots import Lot, burn_order, choose, pending, spendable

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = st.integers(-5, 5).map(lambda days: NOW + timedelta(days=days))


def lot(
    number: int,
    remaining: int = 10,
    *,
    expires: datetime | None = None,
    available: datetime = NOW,
    occurred: datetime = NOW,
) -> Lot:
    return Lot(
        id=UUID(int=number), account_id=NIL, fact_id=NIL, program_id=None, rule="",
        remaining=remaining, occurred_at=occurred, available_at=available, expires_at=expires,
    )  # fmt: skip


LOTS = st.lists(
    st.builds(
        lambda remaining, expires, available, occurred: (remaining, expires, available, occurred),
        st.integers(0, 50), st.none() | DAYS, DAYS, DAYS,
    ),
    max_size=8,
).map(
    lambda drawn: [
        lot(i, n, expires=e, available=a, occurred=o) for i, (n, e, a, o) in enumerate(drawn)
    ]
)  # fmt: skip


def test_the_soonest_to_expire_burns_first_and_what_never_expires_last() -> None:
    day = timedelta(days=1)
    never = lot(1, expires=None, occurred=NOW - 9 * day)
    late = lot(2, expires=NOW + 9 * day)
    soon_but_young = lot(3, expires=NOW + day, occurred=NOW)
    soon_and_old = lot(4, expires=NOW + day, occurred=NOW - day)
    twin = lot(5, expires=NOW + day, occurred=NOW)

    ordered = sorted([never, late, twin, soon_but_young, soon_and_old], key=burn_order)

    assert ordered == [soon_and_old, soon_but_young, twin, late, never]


def test_an_amount_is_paid_by_as_many_lots_as_it_takes() -> None:
    lots = [lot(1, 30, expires=NOW + timedelta(days=1)), lot(2, 100), lot(3, 100)]

    assert [(x.id.int, part) for x, part in choose(lots, 25)] == [(1, 25)]
    assert [(x.id.int, part) for x, part in choose(lots, 130)] == [(1, 30), (2, 100)]
    assert [(x.id.int, part) for x, part in choose(lots, 131)] == [(1, 30), (2, 100), (3, 1)]


def test_a_lot_counts_from_the_instant_it_is_available_until_just_before_its_end() -> None:
    tick = timedelta(microseconds=1)
    one = lot(1, available=NOW, expires=NOW + timedelta(days=1))

    assert (one.pending(NOW - tick), one.available(NOW - tick)) == (True, False)
    assert (one.pending(NOW), one.available(NOW)) == (False, True)
    assert one.available(NOW + timedelta(days=1) - tick)
    assert not one.available(NOW + timedelta(days=1))
    assert one.expired(NOW + timedelta(days=1))


def test_what_expires_before_it_is_available_is_neither_pending_nor_spendable_afterwards() -> None:
    one = lot(1, available=NOW + timedelta(days=2), expires=NOW + timedelta(days=1))
    later = NOW + timedelta(days=1, hours=1)

    assert (pending([one], NOW), pending([one], later), spendable([one], later)) == (10, 0, 0)


@given(LOTS, st.integers(1, 200))
def test_what_is_chosen_pays_the_amount_or_all_there_is(lots: list[Lot], amount: int) -> None:
    chosen = choose(lots, amount)

    there = sum(one.remaining for one in lots)
    assert sum(part for _, part in chosen) == min(amount, there)
    assert all(0 < part <= one.remaining for one, part in chosen)
    # Nothing is left in any lot that comes before the last one that pays.
    order = sorted((one for one in lots if one.remaining), key=burn_order)
    assert [one for one, _ in chosen] == order[: len(chosen)]
    assert all(part == one.remaining for one, part in chosen[:-1])


@given(LOTS)
def test_every_open_lot_is_spendable_pending_or_expired(lots: list[Lot]) -> None:
    gone = sum(one.remaining for one in lots if one.expired(NOW))

    assert spendable(lots, NOW) + pending(lots, NOW) + gone == sum(x.remaining for x in lots)
