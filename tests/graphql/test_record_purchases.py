"""A batch: each item stands or falls by itself, in order, as the single mutation would have it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.errors import Code, Refused
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Outcome
from loyalty.settlement.request import Request
from tests.graphql.documents import RECORD, RECORD_MANY

# Wrong by their type, which the single mutation refuses at the top of its answer.
ILL_TYPED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "a number as the total": ({"total": 10}, "total"),
    "an amount of 41 characters": ({"total": "1" * 41}, "total"),
    "a number as an amount": ({"lines": [{"amount": 10.0}]}, "lines.0.amount"),
    "a text as the revision": ({"revision": "1"}, "revision"),
    "a kind that is none": ({"lines": [{"amount": "10.00", "kind": "TEA"}]}, "lines.0.kind"),
    "an unknown key": ({"totl": "10.00"}, "totl"),
    "an unknown key of a line": ({"lines": [{"amount": "10.00", "skew": "x"}]}, "lines.0.skew"),
    "lines that are no list": ({"lines": {}}, "lines"),
    "a time without an offset": ({"occurredAt": "2026-01-01T17:00:00"}, "occurredAt"),
    "a time that is a number": ({"occurredAt": 1_767_286_800}, "occurredAt"),
    "a day that is none": ({"occurredAt": "2026-02-30T17:00:00Z"}, "occurredAt"),
    "no member": ({"member": {}}, "member"),
    "a member by two names": ({"member": {"externalId": "ada", "identifier": "1"}}, "member"),
    "a member that is a text": ({"member": "ada"}, "member"),
    "attributes that nest too deeply": (
        {"attributes": orjson.loads('{"a":' * 9 + "1" + "}" * 9)},
        "attributes",
    ),
    "attributes with too many entries": (
        {"attributes": {str(n): n for n in range(101)}},
        "attributes",
    ),
}


async def test_outcomes_come_in_order_and_a_bad_item_costs_no_other(brand: Any) -> None:
    await brand.enroll("ada")
    good = [brand.purchase("ada", f"{n}.00") for n in range(1, 4)]
    bad = brand.purchase("nobody", "5.00")

    outcomes = await _batch(brand, [good[0], bad, good[1], "no item", good[2]])

    assert [one["index"] for one in outcomes] == [0, 1, 2, 3, 4]
    assert [one["externalId"] for one in outcomes] == [
        good[0]["externalId"], bad["externalId"], good[1]["externalId"], None,
        good[2]["externalId"],
    ]  # fmt: skip
    assert [_points(one) for one in outcomes] == ["1", None, "2", None, "3"]
    assert [[e["code"] for e in one["userErrors"]] for one in outcomes] == [
        [], ["MEMBER_NOT_FOUND"], [], ["BAD_USER_INPUT"], [],
    ]  # fmt: skip


async def test_a_purchase_twice_in_a_batch_is_recorded_once(brand: Any) -> None:
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "7.00")

    first, again, changed = await _batch(brand, [purchase, purchase, {**purchase, "total": "8.00"}])

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["purchase"] == first["purchase"]
    [error] = changed["userErrors"]
    assert error["code"] == "PURCHASE_CHANGED"
    assert "total" in error["details"]["differs"]
    assert [one["replayed"] for one in await _batch(brand, [purchase])] == [True]


async def test_what_is_ill_typed_is_told_with_its_path(brand: Any, rows: Any) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    items = [{**brand.purchase("ada", "10.00"), **bad} for bad, _ in ILL_TYPED.values()]
    missing = brand.purchase("ada", "10.00")
    del missing["total"]
    outcomes = await _batch(brand, [*items, missing])

    told = [[(e["code"], e["field"]) for e in one["userErrors"]] for one in outcomes]
    assert dict(zip([*ILL_TYPED, "no total"], told, strict=True)) == {
        **{name: [("BAD_USER_INPUT", field)] for name, (_, field) in ILL_TYPED.items()},
        "no total": [("BAD_USER_INPUT", "total")],
    }
    assert (
        "strings" in outcomes[0]["userErrors"][0]["message"]
        or '"12.50"' in (outcomes[0]["userErrors"][0]["message"])
    )
    assert await rows.of(brand.tenant_id) == before


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"totl": "10.00"}, "unknown key 'totl': did you mean 'total'?"),
        ({"lines": [{"amount": "10.00", "skus": "x"}]}, "unknown key 'skus': did you mean 'sku'?"),
        ({"lines": [{}]}, "is needed"),
        ({"lines": ["tea"]}, "must be an object"),
    ],
)  # fmt: skip
async def test_an_item_is_told_what_to_do(brand: Any, bad: Any, message: str) -> None:
    [outcome] = await _batch(brand, [{**brand.purchase("ada", "10.00"), **bad}])

    assert [error["message"] for error in outcome["userErrors"]] == [message]


async def test_a_batch_has_its_limits(brand: Any, rows: Any) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)
    small = brand.purchase("ada", "1.00")
    lined = [brand.purchase("ada", "5.00", lines=[{"amount": "0.01"}] * 500) for _ in range(21)]

    answer = (await brand.service.post(RECORD_MANY, {"items": [small] * 501})).json()
    assert "at most 500 items" in answer["errors"][0]["message"]

    answer = (await brand.service.post(RECORD_MANY, {"items": lined})).json()
    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "10000 lines" in answer["errors"][0]["message"]

    padded = [{**small, "attributes": {"note": "x" * 4096}}] * 490
    assert len(orjson.dumps(padded)) < 2 * 1024 * 1024
    too_large = await brand.service.post(
        RECORD_MANY, {"items": [{**padded[0], "pad": "x" * 2**21}]}
    )
    assert too_large.status_code == 413
    large_and_single = await brand.service.post(RECORD, {"input": small, "pad": "x" * 300_000})
    assert large_and_single.status_code == 413
    assert await rows.of(brand.tenant_id) == before


async def test_the_largest_batch_is_taken(brand: Any) -> None:
    await brand.enroll("ada")
    lines = [{"amount": "0.05"}] * 20
    items = [brand.purchase("ada", "1.00", lines=lines) for _ in range(500)]

    outcomes = await _batch(brand, items)

    assert [_points(one) for one in outcomes] == ["1"] * 500


@pytest.mark.parametrize("standing", [0, 2])
async def test_a_batch_that_finds_no_room_is_refused_whole_unless_some_of_it_stands(
    brand: Any, standing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await brand.enroll("ada")
    items = [brand.purchase("ada", f"{n}.00") for n in range(1, 5)]
    inner = Lanes.record_many

    async def full(lanes: Lanes, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        refused = Refused(Code.OVERLOADED, "too many requests wait")
        there = await inner(lanes, tenant_id, requests[:standing])
        return there + [refused] * (len(requests) - standing)

    with monkeypatch.context() as patch:
        patch.setattr(Lanes, "record_many", full)
        response = await brand.service.post(RECORD_MANY, {"items": items})
    again = await _batch(brand, items)

    answer = response.json()
    if standing:
        outcomes = answer["data"]["recordPurchases"]["outcomes"]
        codes = [[error["code"] for error in one["userErrors"]] for one in outcomes]
        assert codes == [[], [], ["OVERLOADED"], ["OVERLOADED"]]
    else:
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["OVERLOADED"]
    assert response.headers.get("retry-after") == (None if standing else "1")
    assert [one["replayed"] for one in again] == [n < standing for n in range(4)]


cents = st.integers(0, 30_000)
texts = st.sampled_from(["tea", "coffee/beans", " x", "", "ünï", "x" * 201])


@st.composite
def lines(draw: Any) -> dict[str, Any]:
    amount = draw(cents)
    given: dict[str, Any] = {"amount": _money(amount)}
    if draw(st.booleans()):
        given["discount"] = _money(draw(st.integers(0, amount + 5)))
    for name, values in (
        ("id", st.sampled_from(["1", "2", "a", "b"])),
        ("category", texts),
        ("quantity", st.sampled_from(["1", "0.125", "3", "0", "1.2345"])),
        ("tax", cents.map(_money)),
        ("kind", st.sampled_from(["PRODUCT", "SHIPPING", "GIFT_CARD"])),
        ("attributes", st.sampled_from([{"a": 1}, {}, [1]])),
    ):
        if draw(st.integers(0, 3)) == 0:
            given[name] = draw(values)
    return given


@st.composite
def purchases(draw: Any) -> dict[str, Any]:
    """Mostly good purchases: without member, and each key once or twice."""
    basket = draw(st.lists(lines(), max_size=4))
    included = draw(st.booleans())
    total = sum(_minor(one["amount"]) - _minor(one.get("discount", "0")) for one in basket)
    if not included:
        total += sum(_minor(one.get("tax", "0")) for one in basket)
    wrong = draw(st.sampled_from([0, 0, 0, 0, 1]))
    return {
        "member": {"externalId": draw(st.sampled_from(["ada", "bob", "ada", "nobody"]))},
        "source": "shop",
        "externalId": draw(st.text("abcdef", min_size=1, max_size=3)),
        "occurredAt": draw(
            st.sampled_from(
                ["2026-01-01T17:00:00Z", "2025-12-31T23:59:59.123456-05:00", "2025-01-01T00:00:00Z"]
            )
        ),
        "currency": draw(st.sampled_from(["USD", "EUR", "JPY"])),
        "total": _money(max(0, total + wrong) if basket else draw(cents)),
        "taxIncluded": included,
        "revision": draw(st.sampled_from([1, 1, 1, 2, 0])),
        "lines": basket,
    }


@pytest.fixture
async def twins(make_brand: Callable[..., Any]) -> tuple[Any, Any]:
    """Two brands that are alike."""
    made = await make_brand(), await make_brand()
    for brand in made:
        await brand.enroll("ada")
        await brand.enroll("bob")
    return made


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batch=st.lists(purchases(), min_size=1, max_size=6))
async def test_a_batch_comes_to_what_its_items_come_to_one_by_one(
    twins: tuple[Any, Any], batch: list[dict[str, Any]]
) -> None:
    one_by_one, at_once = twins
    source = one_by_one.key()  # the same brands for all examples, so each has a source of its own
    items = [{**item, "source": source} for item in batch]

    singles = [(await one_by_one.service.run(RECORD, input=i))["recordPurchase"] for i in items]
    outcomes = await _batch(at_once, items)

    assert [_comparable(one) for one in outcomes] == [_comparable(one) for one in singles]


def _comparable(payload: Mapping[str, Any]) -> dict[str, Any]:
    purchase = payload["purchase"]
    if purchase is not None:
        member = purchase["member"]["externalId"]
        purchase = {**purchase, "id": None, "member": member}
    return {
        "purchase": purchase,
        "replayed": payload["replayed"],
        "userErrors": payload["userErrors"],
    }


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _minor(text: str) -> int:
    return int(text.replace(".", "")) if "." in text else int(text) * 100


def _points(outcome: Mapping[str, Any]) -> str | None:
    purchase = outcome["purchase"]
    return None if purchase is None else str(purchase["earned"][0]["amount"])


async def _batch(brand: Any, items: list[Any]) -> list[dict[str, Any]]:
    data = await brand.service.run(RECORD_MANY, items=items)
    found: list[dict[str, Any]] = data["recordPurchases"]["outcomes"]
    return found
