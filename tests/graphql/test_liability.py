"""Outstanding points by program, accounting class and the month in which they end; their cost."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.ledger.outstanding import outstanding
from tests.graphql.desk_documents import done
from tests.graphql.documents import RECORD, REDEEM

LIABILITY = """query($unit: String!, $asOf: DateTime) { liability(unit: $unit, asOf: $asOf) {
  available pending held deficit total costs { currency amount }
  groups { program accountingClass expiryMonth available pending held total
    cost { currency amount } } } }"""
SET_COST = """mutation($input: SetPointCostInput!) { setPointCost(input: $input) {
  cost { currency amount } userErrors { code field } } }"""
RETURN = """mutation($input: ReversePurchaseInput!) { reversePurchase(input: $input) {
  userErrors { code field } } }"""
SUM = """select coalesce(sum(case when p.to_id = a.id then p.amount else -p.amount end), 0)::bigint
  from loyalty.account a join loyalty.posting p on p.to_id = a.id or p.from_id = a.id
 where a.tenant_id = $1 and a.stored and a.unit = 'points' and p.occurred_at <= $2"""
ADA = {"externalId": "ada"}
CONFIG = {
    "unit": "points",
    "rules": [
        {
            "id": "base", "label": "1 per dollar", "accounting_class": "MATERIAL_RIGHT",
            "points": "1", "per": {"USD": "1.00"},
        },
        {
            "id": "more", "label": "Later", "accounting_class": "MARKETING",
            "points": "1", "per": {"USD": "10.00"},
            "terms": {"pending_days": 14, "lifetime": {"span": "P3M", "ends": "month"}},
        },
    ],
    "terms": {"lifetime": {"span": "P12M", "ends": "month"}},
}  # fmt: skip


async def liability(brand: Any, as_of: Any = None, unit: str = "points") -> Any:
    return (await brand.admin.run(LIABILITY, unit=unit, asOf=as_of))["liability"]


async def cost(brand: Any, each: str, **more: Any) -> None:
    given = {"unit": "points", "cost": each, "currency": "USD", **more}
    payload = (await brand.admin.run(SET_COST, input=given))["setPointCost"]
    assert payload == {"cost": {"currency": "USD", "amount": each}, "userErrors": []}


def group(program: str | None, kind: str | None, month: str | None, **amounts: str) -> Any:
    shown = {"available": "0", "pending": "0", "held": "0", **amounts}
    total = str(sum(int(amount) for amount in shown.values()))
    return {
        "program": program, "accountingClass": kind, "expiryMonth": month, **shown,
        "total": total,
    }  # fmt: skip


def without_cost(groups: Any) -> Any:
    return [{key: value for key, value in one.items() if key != "cost"} for one in groups]


async def test_points_are_told_by_class_and_month_with_what_they_cost(make_brand: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    await brand.enroll("bob")
    await brand.service.run(RECORD, input=brand.purchase("ada", "120.00"))
    await brand.service.run(RECORD, input=brand.purchase("bob", "35.00"))
    hold = {
        "member": ADA, "amount": "20", "unit": "points", "program": "points",
        "idempotencyKey": brand.key(),
    }  # fmt: skip
    await brand.service.run(REDEEM, input=hold)
    await done(
        brand.admin, "adjustBalance", member=ADA, unit="points", amount="7",
        reasonCode="GOODWILL", idempotencyKey=brand.key(),
    )  # fmt: skip
    await cost(brand, "0.0075")
    await cost(brand, "0.005", program="points")

    found = await liability(brand)

    assert without_cost(found["groups"]) == [
        group("points", "MARKETING", "2026-04", pending="15"),
        group("points", "MATERIAL_RIGHT", "2027-01", available="135"),
        group(None, "MARKETING", None, available="7"),
        group("points", None, None, held="20"),
    ]
    # 15, 135 and 20 at 0.005; 7 at 0.0075: 0.075, 0.675, 0.0525 and 0.10, half up.
    assert [one["cost"]["amount"] for one in found["groups"]] == ["0.08", "0.68", "0.05", "0.10"]
    # Their exact sum, 0.9025, is rounded once.
    assert found["costs"] == [{"currency": "USD", "amount": "0.90"}]
    assert (found["available"], found["pending"], found["held"], found["deficit"]) == (
        "142", "15", "20", "0",
    )  # fmt: skip
    assert found["total"] == "177"


async def test_any_instant_can_be_asked_for_and_agrees_with_the_postings(
    make_brand: Any, rows: Any, dsn: Any, work: Any
) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    began = brand.clock.now()
    instants = [began]
    try:
        first = brand.purchase("ada", "90.00", source="till", externalId="a")
        await brand.service.run(RECORD, input=first)
        brand.clock.at = began + timedelta(days=20)
        instants.append(brand.clock.now())
        spend = {
            "member": ADA, "amount": "95", "unit": "points", "program": "points",
            "idempotencyKey": brand.key(), "capture": True,
        }  # fmt: skip
        await brand.service.run(REDEEM, input=spend)
        brand.clock.at = began + timedelta(days=21)
        given = {
            "source": "till", "returnId": "r", "purchaseExternalId": "a",
            "occurredAt": brand.now(),
        }  # fmt: skip
        await brand.service.run(RETURN, input=given)
        instants.append(brand.clock.now())
        told = [await liability(brand, at.isoformat()) for at in instants]
        connection = await asyncpg.connect(dsn.admin)
        sums = [await connection.fetchval(SUM, brand.tenant_id, at) for at in instants]
        await connection.close()
    finally:
        brand.clock.at = began

    assert [(one["available"], one["pending"], one["deficit"]) for one in told] == [
        ("90", "9", "0"), ("4", "0", "0"), ("0", "0", "95"),
    ]  # fmt: skip
    assert sums == [99, 4, -95]
    assert [int(one["total"]) - int(one["deficit"]) for one in told] == sums


async def test_it_does_not_matter_when_the_sweep_ran(make_brand: Any, work: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "90.00"))
    began = brand.clock.now()
    later = (began + timedelta(days=120)).isoformat()  # those of `more` ended with April
    try:
        brand.clock.at = began + timedelta(days=130)
        before = await liability(brand, later)
        await work(brand)
        assert await liability(brand, later) == before
        assert (await liability(brand, began.isoformat()))["pending"] == "9"
    finally:
        brand.clock.at = began
    assert without_cost(before["groups"]) == [
        group("points", "MATERIAL_RIGHT", "2027-01", available="90")
    ]


async def test_a_cost_counts_from_its_instant_on(make_brand: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "100.00"))
    now = brand.clock.now()
    await cost(brand, "0.01", since=(now - timedelta(days=1)).isoformat())
    await cost(brand, "0.02", since=(now + timedelta(days=1)).isoformat())

    assert (await liability(brand))["costs"] == [{"currency": "USD", "amount": "1.10"}]
    later = await liability(brand, (now + timedelta(days=2)).isoformat())
    assert later["costs"] == [{"currency": "USD", "amount": "2.20"}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cost": "-1"}, ("BAD_AMOUNT", "cost")),
        ({"cost": "1e3"}, ("BAD_AMOUNT", "cost")),
        ({"currency": "XXXX"}, ("CURRENCY_NOT_LISTED", "currency")),
        ({"program": "nope"}, ("NOT_FOUND", "program")),
        ({"unit": "nope"}, ("UNIT_NOT_FOUND", "unit")),
    ],
)
async def test_a_bad_cost_is_refused(
    brand: Any, given: dict[str, str], expected: tuple[str, str]
) -> None:
    sent = {"unit": "points", "cost": "1", "currency": "USD", **given}
    errors = (await brand.admin.run(SET_COST, input=sent))["setPointCost"]["userErrors"]
    assert [(error["code"], error["field"]) for error in errors] == [expected]


async def test_only_admins_see_it_and_only_their_own(brand: Any, make_brand: Any) -> None:
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "100.00"))
    for client in (brand.service, brand.member("ada")):
        assert await client.refused(LIABILITY, unit="points") == [("FORBIDDEN", ["liability"])]
    other = await make_brand()
    assert (await liability(other))["total"] == "0"
    assert await other.admin.refused(LIABILITY, unit="nope") == [("UNIT_NOT_FOUND", ["liability"])]


async def test_it_takes_as_many_statements_for_many_members_as_for_one(
    make_brand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    async def counting(connection: Any, *args: Any, **given: Any) -> Any:
        class Counted:
            def __getattr__(self, name: str) -> Any:
                counted[-1] += 1
                return getattr(connection, name)

        return await outstanding(Counted(), *args, **given)

    monkeypatch.setattr("loyalty_graphql.admin.liability.outstanding", counting)
    brand = await make_brand(config=CONFIG)
    for name in ("ada", "bob", "eve"):
        await brand.enroll(name)
        await brand.service.run(RECORD, input=brand.purchase(name, "100.00"))
        counted.append(0)
        await liability(brand)
    assert counted == [3, 3, 3]
