"""An erased member is nobody: no word of theirs is left, and the ledger is whole."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.audit import audit
from loyalty.clock import SystemClock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty.units import UnitKind
from loyalty_app.installed import installed
from loyalty_app.logins import Addresses
from loyalty_graphql.ids import uuid_of
from loyalty_tenants.principal import Role
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.topics import Topics
from tests.graphql.documents import ACTIVITY, ERRORS, RECORD, REDEEM, RETURN
from tests.graphql.rows import TABLES

WORD = "zaphod"  # in everything that says who the member is
NAME, CARD = f"{WORD}@example.com", f"card-{WORD}"
ADA = {"externalId": NAME}
ERASE = f"""mutation($who: MemberRef!) {{ eraseMember(input: {{member: $who}}) {{
  complete replayed member {{ id externalId status identifiers attributes }} {ERRORS} }} }}"""
DATA = """query($who: MemberRef!, $after: String) {
  memberData(by: $who, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { table row } } } }"""
ENROLL = f"""mutation($input: EnrollMemberInput!) {{ enrollMember(input: $input) {{
  replayed member {{ id }} {ERRORS} }} }}"""
CASHBACK = {
    "unit": "USD", "currency": "USD",
    "rules": [{"id": "back", "label": "5 % back", "percent": "5"}],
    "payout": {"on_request": {}},
}  # fmt: skip
POINTS = {
    "unit": "points",
    "rules": [{"id": "base", "label": "1 per dollar", "accounting_class": "MATERIAL_RIGHT",
               "points": "1", "per": {"USD": "1.00"},
               "when": "member.attributes.vip != 'no'"}],
}  # fmt: skip
HOOK = """mutation {
  createWebhookEndpoint(input: {url: "https://hooks.example/in", topics: ["*"]}) {
    endpoint { id } userErrors { code message } } }"""
STAFF = f"""mutation($who: MemberRef!, $why: String!) {{
  freezeMember(input: {{member: $who, reason: $why}}) {{ {ERRORS} }} }}"""
THAW = STAFF.replace("freezeMember", "unfreezeMember")
ADJUST = f"""mutation($who: MemberRef!, $why: String!, $key: String!) {{ adjustBalance(input: {{
  member: $who, unit: "points", amount: "5", reasonCode: "GOODWILL", note: $why,
  idempotencyKey: $key }}) {{ {ERRORS} }} }}"""
MANY = f"""mutation($who: MemberRef!, $why: String!, $key: String!) {{ adjustBalances(input: {{
  unit: "points", reasonCode: "GOODWILL", idempotencyKey: $key,
  items: [{{member: $who, amount: "3", note: $why}}] }}) {{ {ERRORS} }} }}"""
PAYOUT = (
    f"""mutation($input: RequestPayoutInput!) {{ requestPayout(input: $input) {{ {ERRORS} }} }}"""
)


@pytest.fixture
async def shop(make_brand: Callable[..., Any]) -> Any:
    """A brand whose member's name stands wherever it may stand."""
    brand = await make_brand(config=None)
    await brand.run_program("points", POINTS)
    await brand.make_unit("USD", kind=UnitKind.MONEY)
    await brand.run_program("back", CASHBACK, kind="cashback")
    await ran(brand.admin, HOOK)
    given = {"externalId": NAME, "identifiers": [CARD], "attributes": {"name": WORD, "vip": WORD}}
    await ran(brand.service, ENROLL, input=given)
    return brand


async def ran(client: Any, document: str, **given: Any) -> Any:
    (payload,) = (await client.run(document, **given)).values()
    assert payload["userErrors"] == [], payload
    return payload


def sale(brand: Any, order: str, who: Any = ADA, **more: Any) -> dict[str, Any]:
    return {
        "member": who, "source": "shop", "externalId": order, "occurredAt": "2026-01-01T17:00:00Z",
        "currency": "USD", "total": "90.00", "attributes": {"ship_to": f"{WORD} street 1"},
        "lines": [{"id": "1", "amount": "90.00", "sku": "A", "attributes": {"engraved": WORD}}],
        "tenders": [{"kind": "CARD", "name": f"card of {WORD}", "amount": "90.00"}],
        **more,
    }  # fmt: skip


async def lived(brand: Any) -> str:
    """What happens to a member in a year; their id."""
    member = brand.member(NAME)
    await ran(brand.service, RECORD, input=sale(brand, "o-1"))
    await ran(brand.service, RETURN, input={
        "source": "shop", "returnId": "r-1", "purchaseExternalId": "o-1",
        "occurredAt": brand.now(), "lines": [{"id": "1", "amount": "10.00"}],
        "attributes": {"said": WORD},
    })  # fmt: skip
    await ran(brand.service, ACTIVITY, input={
        "member": ADA, "source": "app", "externalId": "a-1", "type": "review",
        "occurredAt": brand.now(), "attributes": {"text": f"by {WORD}"},
    })  # fmt: skip
    await ran(member, REDEEM, input={
        "member": ADA, "amount": "10", "unit": "points", "program": "points",
        "idempotencyKey": "spent-by-member", "capture": True, "order": "o-2",
    })  # fmt: skip
    await ran(brand.admin, STAFF, who=ADA, why=f"{WORD} called")
    await ran(brand.admin, THAW, who=ADA, why=f"{WORD} called again")
    await ran(brand.admin, ADJUST, who=ADA, why=f"for {WORD}", key=brand.key())
    await ran(brand.admin, MANY, who=ADA, why=f"for {WORD}", key=brand.key())
    await ran(member, PAYOUT, input={
        "member": ADA, "program": "back", "amount": "1.00", "destination": f"IBAN {WORD}",
        "idempotencyKey": brand.key(),
    })  # fmt: skip
    data = await brand.admin.run("query($who: MemberRef!) { member(by: $who) { id } }", who=ADA)
    return str(data["member"]["id"])


async def told(brand: Any, dsn: Addresses) -> None:
    """Everything that is to be said outside is put into words."""
    database = await Database.open(dsn.worker, size=1)
    try:
        outbox = Outbox(database, FanOut(Topics(PluginSet(installed())), SystemClock()))
        while await outbox.slice(brand.tenant_id):
            pass
    finally:
        await database.close()


# What further plugins keep of a member; $1 the tenant, $2 the member, $3 a program.
PLANTED = (
    """insert into loyalty.referral_code values ($1, $3, $2, 'ZAPHOD10', true, now())""",
    """insert into loyalty.referral_signal values ($1, 'DEVICE', 'hash-of-zaphod', $2, now())""",
    """insert into loyalty.referral_failure
       select $1, x, now(), 1 from unnest(array['client:member:zaphod@example.com',
         'member:' || $2]) x""",
    """insert into loyalty.referral (tenant_id, program_id, friend_id, referrer_id, id, code, via,
         attributed_at, verdict, reasons, goods, least, decided_why, spares)
       values ($1, $3, $2, $2, gen_random_uuid(), 'ZAPHOD10', 'claim', now(), 'CLEAR', '{}', 0, 0,
         'zaphod called', '[]')""",
    """insert into loyalty.subscription (tenant_id, member_id, program_id, provider, reference,
         plan, started_at, anchor, as_of, paid_amount, paid_in, paid_invoice, paid_back, attempts,
         plan_told, will_told, welcomed, status)
       values ($1, $2, $3, 'STRIPE', 'sub_zaphod', 'yearly', now(), now(), now(), 0, '', '', 0, 0,
         '', '', true, 'EXPIRED')""",
    """insert into loyalty.subscription_payment (tenant_id, program_id, provider, invoice,
         member_id, fact_id, reference, plan, amount, paid_in, refunded)
       values ($1, $3, 'STRIPE', 'in_1', $2, gen_random_uuid(), 'sub_zaphod', 'yearly', 0, '',
         0)""",
)


async def planted(dsn: Addresses, brand: Any, member_id: str) -> None:
    connection = await asyncpg.connect(dsn.admin)
    try:
        program = await connection.fetchval(
            "select id from loyalty.program where tenant_id = $1 limit 1", brand.tenant_id
        )
        given = (brand.tenant_id, uuid_of(member_id, "Member", field="id"), program)
        for statement in PLANTED:
            for place, value in enumerate(given, 1):
                statement = statement.replace(f"${place}", f"'{value}'::uuid")
            await connection.execute(statement)
    finally:
        await connection.close()


async def traces(dsn: Addresses, word: str = WORD) -> list[str]:
    """The rows of all tables in which a word stands, whatever its case."""
    connection = await asyncpg.connect(dsn.admin)
    try:
        found = []
        for table in [row["relname"] for row in await connection.fetch(TABLES)]:
            rows = await connection.fetch(
                f"select x::text as row from loyalty.{table} x where x::text ilike $1", f"%{word}%"
            )
            found += [f"{table}: {row['row']}" for row in rows]
        return found
    finally:
        await connection.close()


async def export(client: Any, who: Any) -> dict[str, list[Any]]:
    """All rows that are held about a member, by table."""
    found: dict[str, list[Any]] = {}
    after = None
    while True:
        page = (await client.run(DATA, who=who, after=after))["memberData"]
        for edge in page["edges"]:
            found.setdefault(edge["node"]["table"], []).append(edge["node"]["row"])
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def test_nothing_names_an_erased_member_and_the_ledger_is_whole(
    shop: Any, dsn: Addresses
) -> None:
    member_id = await lived(shop)
    await told(shop, dsn)
    await planted(dsn, shop, member_id)
    before = {line.split(":")[0] for line in await traces(dsn)}
    assert before >= {
        "member", "member_identifier", "fact", "decision", "command_key", "posting", "outbox",
        "webhook_event", "audit_entry", "bulk_adjustment_item", "cashback_payout",
        "referral_code", "referral_signal", "referral", "referral_failure", "subscription",
        "subscription_payment",
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
    assert await traces(dsn) == []
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
    assert len(await traces(dsn)) == 1
    shop.clock.at += timedelta(minutes=1)
    again = await ran(shop.admin, ERASE, who=who)
    assert (again["complete"], again["replayed"]) == (True, True)
    assert await traces(dsn) == []
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
    assert {line.split(":")[0] for line in await traces(dsn)} - tables == {"referral_signal"}
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


async def amounts(dsn: Addresses, brand: Any) -> dict[str, Any]:
    """What is counted: postings, lots and their uses, by their keys."""
    connection = await asyncpg.connect(dsn.admin)
    try:
        found = {}
        for table, key, without in (
            ("posting", "fact_id || ':' || seq", "label"),
            ("lot_use", "lot_id || ':' || fact_id || kind", ""),
            ("lot_term", "lot_id || ':' || version", ""),
        ):
            for row in await connection.fetch(
                f"select {key} as key, (to_jsonb(x) - $2::text)::text as row"
                f" from loyalty.{table} x where tenant_id = $1",
                brand.tenant_id, without,
            ):  # fmt: skip
                found[f"{table} {row['key']}"] = row["row"]
        return found
    finally:
        await connection.close()
