"""An erased member is nobody: no word of theirs is left, and the ledger is whole."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from loyalty.audit import audit
from loyalty.facts import MemberClosed, MemberErased, MemberRef
from loyalty.settlement.request import Recorded
from loyalty_app.installed import installed
from loyalty_app.logins import Addresses
from loyalty_graphql.ids import uuid_of
from loyalty_tenants.principal import Role
from loyalty_tenants.privacy.erasures import request_of
from tests.graphql.brand import BOSS
from tests.graphql.documents import RECORD, REDEEM, RETURN
from tests.graphql.lived import (
    ADA,
    CARD,
    DATA,
    ENROLL,
    ERASE,
    NAME,
    WORD,
    amounts,
    export,
    lived,
    planted,
    ran,
    sale,
    shop_of,
    told,
    traces,
)  # fmt: skip


@pytest.fixture
async def shop(make_brand: Callable[..., Any]) -> Any:
    """A brand whose member's name stands wherever it may stand."""
    return await shop_of(make_brand)


async def test_nothing_names_an_erased_member_and_the_ledger_is_whole(
    shop: Any, dsn: Addresses
) -> None:
    member_id = await lived(shop)
    await told(shop, dsn)
    await planted(dsn, shop, member_id)
    before = {line.split(":")[0] for line in await traces(dsn, shop)}
    assert before >= {
        "member", "member_identifier", "fact", "decision", "command_key", "posting", "outbox",
        "parked_return", "webhook_event", "audit_entry", "bulk_adjustment_item",
        "cashback_payout", "referral_code", "referral_signal", "referral", "referral_failure",
        "subscription", "subscription_payment",
    }  # fmt: skip
    ledger = await amounts(dsn, shop)

    done = await ran(shop.admin, ERASE, who=ADA)

    assert (done["complete"], done["replayed"]) == (True, False)
    pseudonym = f"erased:{uuid_of(member_id, 'Member', field='id')}"
    assert done["member"] == {
        "id": member_id, "externalId": pseudonym, "status": "CLOSED", "identifiers": [],
        "attributes": {},
    }  # fmt: skip
    await told(shop, dsn)
    assert await traces(dsn, shop) == []
    after = await amounts(dsn, shop)
    assert ledger.items() <= after.items(), "what was posted stays as it was posted"
    assert await audit(dsn.audit, [shop.tenant_id], installed()) == []


async def test_who_is_erased_is_found_by_their_id_alone(shop: Any, dsn: Addresses) -> None:
    member_id = await lived(shop)
    await ran(shop.admin, ERASE, who={"identifier": CARD})
    query = "query($who: MemberRef!) { member(by: $who) { id } }"
    for name in (ADA, {"identifier": CARD}):
        assert (await shop.admin.run(query, who=name))["member"] is None
    assert (await shop.admin.run(query, who={"id": member_id}))["member"] == {"id": member_id}
    own = "{ viewer { member { id } } }"
    assert (await shop.member(NAME).run(own))["viewer"]["member"] is None
    (error,) = (await shop.admin.run(ERASE, who=ADA))["eraseMember"]["userErrors"]
    assert (error["code"], error["field"]) == ("MEMBER_NOT_FOUND", "member")


async def test_a_second_erasure_is_a_replay_and_takes_what_came_since(
    shop: Any, dsn: Addresses
) -> None:
    member_id = await lived(shop)
    who = {"id": member_id}
    await ran(shop.admin, ERASE, who=who)
    # A return is taken of who left, and this one says a word too many.
    await ran(shop.service, RETURN, input={
        "source": "shop", "returnId": "r-2", "purchaseExternalId": "o-1",
        "occurredAt": shop.now(), "lines": [{"id": "1", "amount": "1.00"}],
        "attributes": {"said": WORD},
    })  # fmt: skip
    assert len(await traces(dsn, shop)) == 1
    shop.clock.at += timedelta(minutes=1)
    again = await ran(shop.admin, ERASE, who=who)
    assert (again["complete"], again["replayed"]) == (True, True)
    assert await traces(dsn, shop) == []
    entries = await shop.admin.run(
        "{ auditTrail(first: 3) { edges { node { action subject details } } } }"
    )
    nodes = [edge["node"] for edge in entries["auditTrail"]["edges"]]
    assert [node["details"] for node in nodes if node["action"] == "member.erase"] == [
        {"again": True}, {"again": False},
    ]  # fmt: skip


async def test_what_was_sent_before_is_known_for_a_repeat(shop: Any) -> None:
    member_id = await lived(shop)
    await ran(shop.admin, ERASE, who=ADA)
    by_id = {"id": member_id}
    repeated = await ran(shop.service, RECORD, input=sale(shop, "o-1", by_id))
    assert repeated["replayed"] is True, "what was erased is not compared"
    lines = [{"id": "1", "amount": "80.00", "sku": "A"}]
    for changed in (
        sale(shop, "o-1", by_id, total="80.00", lines=lines, tenders=[]),
        sale(shop, "o-1", by_id, source="shop", currency="EUR"),
    ):
        (error,) = (await shop.service.run(RECORD, input=changed))["recordPurchase"]["userErrors"]
        assert error["code"] == "PURCHASE_CHANGED"
    new = await ran(shop.service, ENROLL, input={"externalId": NAME, "identifiers": [CARD]})
    assert new["replayed"] is False
    assert new["member"]["id"] != member_id, "who comes back is somebody new"
    (error,) = (await shop.service.run(RECORD, input=sale(shop, "o-1")))["recordPurchase"][
        "userErrors"
    ]
    assert error["code"] == "PURCHASE_CHANGED", "an order earns once, whoever comes back"
    command = {
        "member": ADA, "amount": "10", "unit": "points", "program": "points",
        "idempotencyKey": "spent-by-member", "capture": True, "order": "o-2",
    }  # fmt: skip
    (error,) = (await shop.member(NAME).run(REDEEM, input=command))["redeemPoints"]["userErrors"]
    assert error["code"] == "INSUFFICIENT_BALANCE", "and not what the other one was answered"


async def test_who_is_enrolled_on_purchase_is_not_by_a_repeat(
    make_brand: Callable[..., Any],
) -> None:
    brand = await make_brand(enroll_on_purchase=True)
    given = brand.purchase(NAME, "9.00")
    await ran(brand.service, RECORD, input=given)
    await ran(brand.admin, ERASE, who=ADA)
    (error,) = (await brand.service.run(RECORD, input=given))["recordPurchase"]["userErrors"]
    assert (error["code"], error["details"]) == ("PURCHASE_CHANGED", {"differs": ["member"]})
    query = "query($who: MemberRef!) { member(by: $who) { id } }"
    assert (await brand.admin.run(query, who=ADA))["member"] is None


async def test_an_export_is_all_there_is_and_leaves_its_entry(shop: Any, dsn: Addresses) -> None:
    member_id = await lived(shop)
    await told(shop, dsn)
    await planted(dsn, shop, member_id)
    found = await export(shop.admin, ADA)
    # Every row in which a word of the member's stands, but for the referral hashes.
    held = {f"{table}: {row}" for table, rows in found.items() for row in map(str, rows)}
    tables = {line.split(":")[0] for line in held if WORD in line.lower()}
    assert {line.split(":")[0] for line in await traces(dsn, shop)} - tables == {"referral_signal"}
    assert [row["external_id"] for row in found["member"]] == [NAME]
    assert {"payload", "answer", "key"} <= found["fact"][0].keys()
    assert all("hash" not in row for row in found["referral_signal"])
    assert not any("tenant_id" in row for rows in found.values() for row in rows)
    trail = await shop.admin.run("{ auditTrail(first: 1) { edges { node { action subject } } } }")
    entry = trail["auditTrail"]["edges"][0]["node"]
    assert entry == {
        "action": "member.export",
        "subject": f"member:{uuid_of(member_id, 'Member', field='id')}",
    }
    assert (await shop.admin.run(DATA, who={"externalId": "eve"}))["memberData"] is None


@pytest.mark.parametrize("role", [Role.SERVICE, Role.MEMBER, Role.PARTNER])
async def test_neither_is_open_to_who_was_not_given_it(shop: Any, role: Role) -> None:
    for document in (ERASE, DATA):
        ((code, _),) = await shop.token(role, NAME).refused(document, who=ADA)
        assert code == "FORBIDDEN"
    desk = shop.token(Role.SERVICE, "desk", ["members:erase", "members:export"])
    assert await export(desk, ADA)
    await ran(desk, ERASE, who=ADA)


async def test_what_a_request_left_a_worker_finishes(shop: Any, dsn: Addresses, work: Any) -> None:
    await lived(shop)
    api = shop.server.services.api

    async def record(fact: MemberClosed | MemberErased) -> Recorded:
        recorded: Recorded = await api.lanes.record(shop.tenant_id, request_of(fact, BOSS))
        return recorded

    who = MemberRef(external_id=NAME)
    done = await api.erasures.erase(shop.tenant_id, who, BOSS, record, pages=0)
    assert done.complete is False
    assert {line.split(":")[0] for line in await traces(dsn, shop)} >= {"fact", "erasure"}
    await work(shop)
    assert await traces(dsn, shop) == []
    async with api.database.tenant(shop.tenant_id, read_only=True) as connection:
        left = await connection.fetch("select name from loyalty.job where name ~ 'erasure'")
    assert left == []
