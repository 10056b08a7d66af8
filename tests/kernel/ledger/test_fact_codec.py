"""The codec: what is written is read again, and equal inputs are written alike."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from loyalty import commands, facts
from loyalty.codec import KERNEL_FACTS, Codec, differences
from loyalty.facts import Fact, MemberRef
from loyalty.purchase import Line, LineKind, ReturnedLine, Tender, TenderKind

NOW = datetime(2026, 6, 1, 10, 30, 0, 123456, tzinfo=UTC)
ANNA = MemberRef(id=UUID(int=7))
EXAMPLES: dict[type[Fact], dict[str, Any]] = {
    facts.MemberEnrolled: {"external_id": "m-1", "identifiers": ("card-1",)},
    facts.PurchaseRecorded: {
        "source": "shop", "external_id": "o-1", "currency": "USD", "total": 900,
        "lines": (Line(id="1", amount=1000, discount=100, kind=LineKind.FEE, attributes={"a": 1}),),
        "tenders": (Tender(kind=TenderKind.CARD, amount=900),), "attributes": {"till": [1, "x"]},
    },
    facts.PurchaseReversed: {
        "source": "shop", "return_id": "r-1", "purchase_external_id": "o-1",
        "lines": (ReturnedLine(id="1", quantity=500),),
    },
    facts.ActivityRecorded: {"source": "app", "external_id": "a-1", "type": "review"},
    facts.MemberClosed: {"reason": "asked"},
    facts.MemberFrozen: {"reason": "card stolen"},
    facts.MemberUnfrozen: {"reason": "card replaced"},
    facts.MemberErased: {},
    facts.LotsDue: {"unit": "points", "version": 3},
    facts.HoldLapsed: {"redemption_id": UUID(int=3)},
    facts.TraitChanged: {"names": ("vip.tier",)},
    facts.FactReversed: {"reversed_scope": "follow", "reversed_key": "k", "part": "1/3"},
    commands.Redeem: {
        "program": "p", "unit": "points", "amount": 5, "hold_for": timedelta(minutes=90),
    },
    commands.CaptureRedemption: {"redemption_id": UUID(int=3), "amount": 2},
    commands.ReleaseRedemption: {"redemption_id": UUID(int=3)},
    commands.ReverseRedemption: {"redemption_id": UUID(int=3), "reason": "returned"},
    commands.AdjustBalance: {
        "unit": "points", "amount": -5, "reason_code": "FIX", "expires_at": NOW,
        "expires_after": "P6M", "expires_end": "month",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", KERNEL_FACTS, ids=lambda kind: kind.KIND)
def test_every_fact_of_the_kernel_survives_its_row(kind: type[Fact]) -> None:
    codec = Codec()
    fact = kind(member=ANNA, occurred_at=NOW, **EXAMPLES[kind])

    stored = orjson.loads(orjson.dumps(codec.dump(fact)))

    assert codec.load(kind.KIND, stored, ANNA) == fact
    assert "member" not in stored


TEXT = st.text(max_size=4)
WHOLE = st.integers(0, 10**15)
ATTRIBUTES = st.dictionaries(
    TEXT,
    st.none() | st.booleans() | WHOLE | TEXT | st.lists(TEXT, max_size=2)
    | st.decimals(allow_nan=False, allow_infinity=False) | st.datetimes(timezones=st.just(UTC)),
    max_size=2,
)  # fmt: skip
LINES = st.builds(
    Line, id=TEXT, amount=WHOLE, discount=WHOLE, tax=WHOLE,
    quantity=WHOLE, sku=st.none() | TEXT, category=st.none() | TEXT,
    brand=st.none() | TEXT, kind=st.sampled_from(LineKind), attributes=ATTRIBUTES,
)  # fmt: skip
TENDERS = st.builds(
    Tender, kind=st.sampled_from(TenderKind), amount=WHOLE, name=st.none() | TEXT,
    redemption_id=st.none() | TEXT,
)  # fmt: skip
PURCHASES = st.builds(
    facts.PurchaseRecorded, source=TEXT,
    occurred_at=st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Kathmandu")])),
    external_id=TEXT, revision=WHOLE, currency=TEXT, total=WHOLE,
    tax_included=st.booleans(), lines=st.lists(LINES, max_size=2).map(tuple),
    tenders=st.lists(TENDERS, max_size=2).map(tuple), attributes=ATTRIBUTES,
    member=st.just(ANNA),
)  # fmt: skip


@given(PURCHASES)
@settings(max_examples=200)
def test_a_purchase_is_written_by_hand_as_any_fact_would_be(
    purchase: facts.PurchaseRecorded,
) -> None:
    generic = TypeAdapter(facts.PurchaseRecorded)
    written = generic.dump_python(purchase, mode="json", exclude={"member"})

    assert Codec().dump(purchase) == written
    assert orjson.loads(orjson.dumps(Codec().dump(purchase))) == written


def test_the_keys_of_a_purchase_come_as_jsonb_sorts_them() -> None:
    kind = facts.PurchaseRecorded
    payload = Codec().dump(kind(member=ANNA, occurred_at=NOW, **EXAMPLES[kind]))

    for written in (payload, *payload["lines"], *payload["tenders"]):
        assert list(written) == sorted(written, key=lambda key: (len(key), key))


def test_one_instant_in_two_zones_is_written_alike() -> None:
    there = timezone(timedelta(hours=-4))
    one = facts.MemberClosed(occurred_at=NOW)
    other = facts.MemberClosed(occurred_at=NOW.astimezone(there))

    assert Codec().dump(one) == Codec().dump(other)


def test_two_facts_of_one_name_are_refused() -> None:
    class Impostor(facts.MemberClosed):
        pass

    with pytest.raises(ValueError, match="two facts are called MemberClosed"):
        Codec([Impostor])
    with pytest.raises(KeyError, match="Impostor"):
        Codec().dump(Impostor(occurred_at=NOW))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


def canonical(value: Any) -> str:
    """The same text for what counts as the same: keys in order, nothing that is null."""
    if isinstance(value, dict):
        kept = {key: canonical(item) for key, item in value.items() if item is not None}
        return f"object {sorted(kept.items())}"
    if isinstance(value, list):
        return repr([canonical(item) for item in value])
    return repr(value)


@given(JSON, JSON)
@settings(max_examples=1000)
def test_no_difference_means_equal(one: Any, other: Any) -> None:
    assert list(differences(one, one)) == []
    assert bool(list(differences(one, other))) == (canonical(one) != canonical(other))


def test_differences_are_named_by_their_path() -> None:
    old = {"total": 1, "lines": [{"id": "a", "amount": 1}, {"id": "b", "amount": 2}], "note": None}
    new = {"total": 2, "lines": [{"id": "a", "amount": 1}, {"id": "b", "amount": 3}], "more": 1}

    assert list(differences(old, new)) == ["lines.1.amount", "more", "total"]


def test_an_order_number_with_a_hash_is_no_revision_of_another() -> None:
    keys = {
        facts.purchase_key("shop", "1001", 2),
        facts.purchase_key("shop", "1001#2"),
        facts.purchase_key("shop", "1001#2", 2),
        facts.purchase_key("shop", "1001"),
        facts.purchase_key("shop#2", "1001"),
    }

    assert len(keys) == 5
