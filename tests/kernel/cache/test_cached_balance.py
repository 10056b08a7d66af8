from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.cache.balances import CachedBalance, OpenLot, balance_at, merged
from loyalty.cache.cached_balance import AMOUNT_END, LOTS_MAX, VERSION_END
from loyalty.cache.encoding import ENTRY_BYTES_MAX, decode, encode
from loyalty.view import BalanceView

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LAST = datetime.max.replace(tzinfo=UTC)

instants = st.datetimes(timezones=st.just(UTC))
amounts = st.integers(0, AMOUNT_END - 1)
lots = st.builds(OpenLot, instants, st.none() | instants, amounts)
balances = st.builds(
    CachedBalance,
    version=st.integers(0, VERSION_END - 1),
    held=amounts,
    deficit=amounts,
    lots=st.lists(lots, max_size=LOTS_MAX).map(tuple),
)


def test_a_lot_counts_from_its_start_until_just_before_its_end() -> None:
    tick = timedelta(microseconds=1)
    cached = CachedBalance(version=1, held=3, deficit=2, lots=(OpenLot(NOON, NOON + DAY, 7),))
    seen = [balance_at(cached, NOON + at) for at in (-tick, 0 * DAY, DAY - tick, DAY)]
    assert [(view.available, view.pending) for view in seen] == [(0, 7), (7, 0), (7, 0), (0, 0)]
    assert {(view.held, view.deficit) for view in seen} == {(3, 2)}


def test_lots_of_all_kinds_are_summed() -> None:
    cached = CachedBalance(
        version=1,
        lots=(
            OpenLot(NOON - DAY, None, 1),
            OpenLot(NOON - DAY, NOON + DAY, 10),
            OpenLot(NOON - 2 * DAY, NOON - DAY, 100),
            OpenLot(NOON + DAY, NOON + 2 * DAY, 1_000),
            OpenLot(NOON + DAY, None, 10_000),
            OpenLot(NOON + DAY, NOON - DAY, 100_000),
        ),
    )
    assert balance_at(cached, NOON) == BalanceView(total=11_011, available=11, pending=11_000)


def test_lots_of_the_same_instants_become_one_and_empty_ones_none() -> None:
    ends = OpenLot(NOON, NOON + DAY, 2)
    never = OpenLot(NOON, None, 5)
    assert merged([never, ends, ends, OpenLot(NOON, NOON + 2 * DAY, 0)]) == (
        OpenLot(NOON, NOON + DAY, 4),
        never,
    )


@given(balances)
def test_what_is_written_is_read(balance: CachedBalance) -> None:
    assert decode(encode(balance)) == balance


def test_the_largest_entry_fits() -> None:
    lot = OpenLot(LAST, LAST, AMOUNT_END - 1)
    earliest = OpenLot(datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), AMOUNT_END - 1)
    for kind in (lot, earliest):
        balance = CachedBalance(
            version=VERSION_END - 1,
            held=AMOUNT_END - 1,
            deficit=AMOUNT_END - 1,
            lots=(kind,) * LOTS_MAX,
        )
        assert len(encode(balance)) <= ENTRY_BYTES_MAX
        assert decode(encode(balance)) == balance


def test_more_lots_than_are_kept_leave_the_version_only() -> None:
    lots = tuple(OpenLot(NOON + n * DAY, None, 1) for n in range(LOTS_MAX + 1))
    tombstone = decode(encode(CachedBalance(version=9, held=4, deficit=1, lots=lots)))
    assert tombstone == CachedBalance(version=9, overflow=True)
    with pytest.raises(ValueError, match="ask Postgres"):
        balance_at(tombstone, NOON)


@given(st.binary(max_size=200))
def test_noise_is_no_entry(noise: bytes) -> None:
    assert decode(noise) is None


def test_a_changed_byte_is_no_entry() -> None:
    whole = encode(CachedBalance(version=7, lots=(OpenLot(NOON, None, 5),)))
    for at in range(len(whole)):
        assert decode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]) is None
        assert decode(whole[:at]) is None


@pytest.mark.parametrize(
    "body",
    [
        b"[1,0,0]",
        b'["1",0,0,[]]',
        b"[1,-1,0,[]]",
        b"[9007199254740992,0,0,[]]",
        b"[1,0,0,[[0,0]]]",
        b"[1,0,0,[[99999999999999999999,null,1]]]",
        b'[1,0,0,[["a",null,1]]]',
        b"[1.5,0,0,[]]",
        b"[1,0,0,7]",
        b"{}",
        b"7",
    ],
)
def test_a_well_signed_but_ill_shaped_entry_is_no_entry(body: bytes) -> None:
    assert decode(sha1(body).hexdigest()[:8].encode() + body) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"version": -1},
        {"version": VERSION_END},
        {"version": 1, "held": -1},
        {"version": 1, "held": Decimal(1)},
        {"version": 1, "deficit": AMOUNT_END},
        {"version": 1, "lots": (OpenLot(NOON, None, -1),)},
    ],
)
def test_a_number_out_of_range_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not a whole number in"):
        CachedBalance(**fields)  # type: ignore[arg-type]
