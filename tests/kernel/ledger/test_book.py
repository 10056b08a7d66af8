"""The book: what moves there balances, and what is undone was never there."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.ids import new_id
from loyalty.ledger.account import HELD, ISSUED, REDEEMED, Account
from loyalty.ledger.book import Book, Cause, NeedLots, Terms
from loyalty.ledger.lots import Lot

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TENANT, ANNA, BELA, PROGRAM = (UUID(int=n) for n in (1, 2, 3, 4))


def cause(at: datetime = NOW) -> Cause:
    return Cause(fact_id=new_id(), at=at, program_id=PROGRAM, rule="p/base")


def terms(available: int = 0, expires: int | None = None) -> Terms:
    return Terms(
        accounting_class="MARKETING",
        available_at=NOW + timedelta(days=available),
        expires_at=None if expires is None else NOW + timedelta(days=expires),
    )


class Story:
    """Random movements of two members in one unit."""

    def __init__(self) -> None:
        self.book = Book(tenant_id=TENANT)
        self.issued = self.book.program_account(PROGRAM, "points", ISSUED)
        self.redeemed = self.book.program_account(PROGRAM, "points", REDEEMED)
        self.taken: list[tuple[UUID, str, list[tuple[Lot, int]]]] = []

    def main(self, owner: UUID) -> Account:
        return self.book.account(owner, "points")

    def step(self, name: str, owner: UUID, amount: int, days: int) -> None:
        book, account, why = self.book, self.main(owner), cause()
        match name:
            case "grant":
                ends = days + 3 if days % 2 else None
                book.grant(why, account, amount, self.issued, terms(min(days, 0) + days, ends))
            case "burn":
                if parts := book.burn(why, account, amount, self.redeemed):
                    self.taken.append((owner, "burn", parts))
            case "hold":
                if parts := book.hold(why, account, amount):
                    self.taken.append((owner, "hold", parts))
            case "give back" if self.taken:
                owner, kind, parts = self.taken.pop()
                held = book.account(owner, "points", HELD)
                source = self.redeemed if kind == "burn" else held
                book.restore(why, self.main(owner), parts, source, "REVERSE")
            case "take":
                own = list(book.open_lots(account))[:1]
                late = [x for x in book.open_lots(account) if x.expired(NOW)]
                book.expire(why, account, late, self.redeemed)
                book.take(why, account, amount, own, self.issued)
            case "expire":
                late = [x for x in book.open_lots(account) if x.expired(NOW)]
                book.expire(why, account, late, self.redeemed)
            case "reterm":
                for one in list(book.open_lots(account))[:1]:
                    book.reterm(why, account, one, NOW + timedelta(days=days))

    def state(self) -> Any:
        book = self.book
        kept = [list(getattr(book.rows, name)) for name in book.rows.__slots__]
        return copy.deepcopy((book.accounts, {k: v for k, v in book.lots.items() if v}, kept))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["grant", "grant", "burn", "hold", "give back", "take", "expire", "reterm"]
        ),
        st.sampled_from([ANNA, ANNA, ANNA, BELA]),
        st.integers(1, 30),
        st.integers(-6, 6),
    ),
    max_size=25,
)


@given(STEPS, STEPS)
@settings(max_examples=300)
def test_undo_leaves_everything_as_it_was(before: Any, undone: Any) -> None:
    story = Story()
    for step in before:
        story.step(*step)
    was, mark, taken = story.state(), story.book.mark(), list(story.taken)

    for step in undone:
        story.step(*step)
    story.book.undo(mark)
    story.taken = taken

    assert story.state() == was
    for step in undone:  # and the book still works: the same again is the same
        story.step(*step)
    check_sums(story)


@given(STEPS)
@settings(max_examples=200)
def test_balances_are_their_lots_and_their_postings(steps: Any) -> None:
    story = Story()
    for step in steps:
        story.step(*step)
        check_sums(story)


def check_sums(story: Story) -> None:
    book = story.book
    posted: dict[UUID, int] = {}
    versions: dict[UUID, list[int]] = {}
    for row in book.rows.postings:
        _, _, _, source, target, amount, _, from_version, to_version, *_ = row
        assert amount > 0
        posted[source] = posted.get(source, 0) - amount
        posted[target] = posted.get(target, 0) + amount
        versions.setdefault(source, []).extend([from_version] if from_version else [])
        versions.setdefault(target, []).extend([to_version] if to_version else [])
    assert sum(posted.values()) == 0
    for (_, _, kind), account in book.accounts.items():
        assert account.net == posted.get(account.id, 0)
        assert account.balance >= 0
        assert account.deficit >= 0
        assert account.balance == 0 or account.deficit == 0
        assert versions.get(account.id, []) == list(range(1, account.version + 1))
        if kind == "main":
            assert account.balance == sum(x.remaining for x in book.open_lots(account))


def loaded(*lots: int) -> tuple[Book, Account]:
    """A book as loaded: an account of 30 in all, of which only some lots are known."""
    book = Book(tenant_id=TENANT)
    account = Account(id=UUID(int=9), owner=ANNA, unit="points", kind="main", balance=30)
    book.accounts[ANNA, "points", "main"] = account
    book.lots[account.id] = [
        Lot(
            id=UUID(int=n), account_id=account.id, fact_id=UUID(int=n), program_id=None, rule="",
            remaining=10, occurred_at=NOW + timedelta(days=n), available_at=NOW,
        )
        for n in lots
    ]  # fmt: skip
    return book, account


def test_what_was_loaded_in_burn_order_pays_without_the_rest() -> None:
    book, account = loaded(1)

    assert [part for _, part in book.burn(cause(), account, 10, UUID(int=8))] == [10]


def test_an_amount_that_the_loaded_lots_do_not_hold_asks_for_all() -> None:
    book, account = loaded(1, 2)

    with pytest.raises(NeedLots):
        book.burn(cause(), account, 21, UUID(int=8))


def test_where_something_moved_before_what_was_loaded_no_longer_decides() -> None:
    # Lot 3 is there because its sale comes back; lot 2, which burns before it, is not.
    book, account = loaded(1, 3)
    book.burn(cause(), account, 10, UUID(int=8))

    with pytest.raises(NeedLots):
        book.burn(cause(), account, 10, UUID(int=8))


def test_a_first_hold_does_not_make_an_account_look_complete() -> None:
    book, account = loaded(1)
    book.hold(cause(), account, 10)

    with pytest.raises(NeedLots):
        book.burn(cause(), account, 10, UUID(int=8))


def test_taking_back_more_than_the_own_lots_hold_asks_for_all() -> None:
    book, account = loaded(1, 2)

    with pytest.raises(NeedLots):
        book.take(cause(), account, 11, book.lots[account.id][:1], UUID(int=8))


def test_what_is_pending_or_expired_pays_nothing() -> None:
    book = Book(tenant_id=TENANT)
    account = book.account(ANNA, "points")
    book.grant(cause(), account, 10, UUID(int=8), terms(available=1))
    book.grant(cause(), account, 10, UUID(int=8), terms(available=-9, expires=0))
    ready = book.grant(cause(), account, 10, UUID(int=8), terms(expires=1))

    assert book.hold(cause(), account, 11) == []
    assert book.burn(cause(), account, 11, UUID(int=8)) == []
    assert book.burn(cause(), account, 10, UUID(int=8)) == [(ready, 10)]


def test_own_lots_are_taken_first_then_burn_order_then_pending_ones() -> None:
    book = Book(tenant_id=TENANT)
    account = book.account(ANNA, "points")
    source = UUID(int=8)
    waiting = book.grant(cause(), account, 10, source, terms(available=5, expires=9))
    soon = book.grant(cause(), account, 10, source, terms(expires=6))
    own = book.grant(cause(), account, 10, source, terms(available=3))

    book.take(cause(), account, 25, [own], source)

    assert (own.remaining, soon.remaining, waiting.remaining) == (0, 0, 5)
    assert (account.balance, account.deficit) == (5, 0)


def test_a_deficit_is_repaid_by_the_next_grant_even_while_it_is_pending() -> None:
    book = Book(tenant_id=TENANT)
    account = book.account(ANNA, "points")
    book.take(cause(), account, 8, [], UUID(int=8))

    lot = book.grant(cause(), account, 10, UUID(int=8), terms(available=14))

    assert (account.balance, account.deficit, lot.remaining) == (2, 0, 2)
