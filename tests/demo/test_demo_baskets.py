"""Baskets made of the data set: exact money, whole baskets, nothing left out."""

from collections import Counter
from decimal import Decimal
from itertools import islice

import pytest

from loyalty_app.demo import baskets as module
from loyalty_app.demo.baskets import baskets, oddities
from loyalty_app.demo.frames import Frames
from loyalty_app.demo.money import cents, texts
from loyalty_app.demo.packing import deal, packed
from loyalty_app.demo.redemptions import redemptions
from loyalty_app.demo.shelf import category_path
from loyalty_app.demo.timeline import YEAR_END, YEAR_START, month_ends, stretches


def test_the_first_basket_is_what_the_data_set_says(frames: Frames) -> None:
    first = next(baskets(frames))

    assert first.household == "900"
    assert first.item == {
        "member": {"externalId": "900"},
        "source": "pos",
        "externalId": "31198570044",
        "occurredAt": "2017-01-01T11:53:26Z",
        "currency": "USD",
        "total": "0.50",
        "taxIncluded": True,
        "lines": [
            {
                "id": "1",
                "sku": "1095275",
                "quantity": "1",
                "amount": "0.50",
                "discount": "0.00",
                "category": "PASTRY/ROLLS/ROLLS: BAGELS",
                "brand": "National",
            }
        ],
    }


def test_every_basket_of_the_year_is_there_once_in_order_and_adds_up(frames: Frames) -> None:
    count, lines, total, before = 0, 0, 0, YEAR_START
    for basket in baskets(frames):
        nets = [_cents(line["amount"]) - _cents(line["discount"]) for line in basket.item["lines"]]
        assert sum(nets) == _cents(basket.item["total"])
        assert before <= basket.at < YEAR_END
        assert len(basket.item["lines"]) == basket.lines
        count, lines, before = count + 1, lines + basket.lines, basket.at
        total += sum(nets)
    assert (count, lines) == (155_848, 1_469_307)
    assert Decimal(total) / 100 == Decimal("4596039.58")  # of sales_value
    assert len(frames.households()) == 2_469


def test_money_comes_out_of_floats_exactly(frames: Frames) -> None:
    import pandas

    assert cents(pandas.Series([0.1 + 0.2, 1.005e2, 0.0])).tolist() == [30, 10050, 0]
    assert texts(cents(pandas.Series([12.05, 0.5, 12.05])), 2) == ["12.05", "0.50", "12.05"]
    with pytest.raises(ValueError, match="whole cents"):
        cents(pandas.Series([0.005], name="off"))
    with pytest.raises(ValueError, match="negative"):
        cents(pandas.Series([-1.0], name="off"))


def test_odd_rows_are_counted_and_none_is_left_out(frames: Frames) -> None:
    found = oddities(frames)

    assert (found.no_quantity, found.no_amount, found.unknown_product) == (8_869, 6_122, 4_836)
    quantities = Counter(
        line["quantity"] == "0" for basket in baskets(frames.first(5_000))
        for line in basket.item["lines"]
    )  # fmt: skip
    assert quantities[True] == 0


def test_gasoline_is_counted_in_gallons(frames: Frames) -> None:
    lines = (
        line for basket in baskets(frames.first(3_000)) for line in basket.item["lines"]
        if line.get("category", "").endswith("GASOLINE-REG UNLEADED")
    )  # fmt: skip
    gallons = [Decimal(line["quantity"]) for line in islice(lines, 100)]
    assert gallons
    assert Decimal(5) < sum(gallons) / len(gallons) < Decimal(20)


def test_a_slash_in_a_name_makes_no_level() -> None:
    assert category_path("GROCERY", "COOKIES/CONES", "X/") == "GROCERY/COOKIES-CONES/X-"
    assert category_path("MISCELLANEOUS", "", "") == "MISCELLANEOUS"
    assert category_path("", "", "") is None


def test_a_basket_is_never_cut_where_the_frame_is(
    frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = frames.first(300)
    whole = list(baskets(part))
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    assert list(baskets(part)) == whole


def test_requests_keep_a_households_order_and_the_limits(frames: Frames) -> None:
    some = list(baskets(frames.first(3_000)))
    lanes = deal(some, 3)

    assert sorted(b.id for lane in lanes for b in lane) == sorted(b.id for b in some)
    for lane in lanes:
        packs = list(packed(lane))
        assert [b for pack in packs for b in pack] == lane
        assert all(len(pack) <= 500 and sum(b.lines for b in pack) <= 8_000 for pack in packs)
    homes = [{b.household for b in lane} for lane in lanes]
    assert not (homes[0] & homes[1] | homes[0] & homes[2] | homes[1] & homes[2])


def test_the_year_happens_in_order(frames: Frames) -> None:
    wanted = list(redemptions(frames))
    before, count, redeemed, swept = YEAR_START, 0, 0, []
    for stretch in stretches(baskets(frames.first(30_000)), wanted, YEAR_END):
        assert before <= stretch.until
        assert all(before <= basket.at <= stretch.until for basket in stretch.baskets)
        assert all(one.at == stretch.until for one in stretch.redemptions)
        before, count = stretch.until, count + len(stretch.baskets)
        redeemed += len(stretch.redemptions)
        swept += [stretch.until] if stretch.sweeps else []
    assert (count, redeemed, swept) == (30_000, 2_102, month_ends())
    assert len({one.key for one in wanted}) == 2_102


def test_what_lies_after_the_end_is_left_out(frames: Frames) -> None:
    some = list(baskets(frames.first(2_000)))
    end = some[999].at
    found = list(stretches(some, redemptions(frames), end))

    assert [b for stretch in found for b in stretch.baskets] == [b for b in some if b.at <= end]
    assert all(one.at <= end for stretch in found for one in stretch.redemptions)
    assert found[-1].until == end


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
