"""A member whose name stands wherever it may stand, and where it is looked for afterwards."""

from collections.abc import Callable
from typing import Any

import asyncpg

from loyalty.clock import SystemClock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty.units import UnitKind
from loyalty_app.installed import installed
from loyalty_app.logins import Addresses
from loyalty_graphql.ids import uuid_of
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


async def shop_of(make_brand: Callable[..., Any]) -> Any:
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
    # One that came before its purchase.
    early = {"source": "shop", "returnId": "r-0", "purchaseExternalId": "o-0",
             "occurredAt": brand.now(), "attributes": {"said": f"{WORD} was first"},
             "lines": [{"id": "1", "amount": "90.00"}]}  # fmt: skip
    assert (await brand.service.run(RETURN, input=early))["reversePurchase"]["userErrors"] == []
    await ran(brand.service, RECORD, input=sale(brand, "o-0"))
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
    """insert into loyalty.referral_code values ($1, $3, $2, 'ZAPHOD10', true, now(),
         'ZAPHOD-1O')""",
    """insert into loyalty.referral_signal values ($1, 'DEVICE', 'hash-of-zaphod', $2, now())""",
    """insert into loyalty.referral_past values ($1, $3, $2, 'DEVICE', 'hash-of-a-friend',
         now())""",
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


async def traces(dsn: Addresses, brand: Any) -> list[str]:
    """The brand's rows in all tables in which the word stands, whatever its case."""
    connection = await asyncpg.connect(dsn.admin)
    try:
        found = []
        for table in [row["relname"] for row in await connection.fetch(TABLES)]:
            rows = await connection.fetch(
                f"""select x::text as row from loyalty.{table} x
                     where tenant_id = $1 and x::text ilike $2""",
                brand.tenant_id,
                f"%{WORD}%",
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
