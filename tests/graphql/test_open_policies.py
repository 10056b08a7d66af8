"""The probes of tenancy see it when one policy lets everything through.

In a database of its own a tenant has a twin: the same rows with the same ids under another tenant,
beside that one's own. As long as the policies stand the twin is invisible; whichever is opened,
some answer changes. The tables that no answer is read from without naming the tenant besides are
listed, so that each has been looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import asyncpg

from loyalty.ids import new_id
from loyalty_app.logins import Addresses
from tests.graphql.brand import Client
from tests.graphql.documents import BALANCE, DECIDED, EARNED, REDEEM, REDEMPTION
from tests.graphql.furnished import furnished
from tests.graphql.rows import TABLES

OURS, THEIRS = "ours0000", "theirs00"
ISOLATED = "tenant_id = (select loyalty.tenant())"
# Read by the ledger's functions only, which name the tenant in every statement as those about
# rewards, payouts, tiers, partners and referrals do, or by workers; of lots, thresholds and tenants
# the API asks together with a table or a tenant that it may see. Those of partners are asked
# directly in tests/plugins/partners/test_partners_policies.py.
NOT_READ = {
    "command_key", "counter", "due_fact", "inbox", "job", "outbox", "trait", "program_secret",
    "ledger_audit", "lot", "lot_term", "tenant", "slug", "approval_threshold", "points_reward",
    "webhook_secret", "webhook_event", "webhook_line",
    "partners_agreement", "partners_terms", "partners_link", "partners_link_code",
    "partners_link_failure", "partners_quote", "partners_movement", "partners_statement",
    "partners_dispute", "partners_pack", "partners_fund", "partners_leg", "partners_day",
    "partners_write_off", "peer",
    "subscription", "subscription_payment",
    "referral", "referral_code", "referral_failure", "referral_key", "referral_share",
    "referral_past", "referral_side", "referral_signal", "referral_step",
    "tiers_standing",
    "cashback_payout", "erasure", "retention",
}  # fmt: skip
# Of these one row is read, whichever comes first: ours goes, and only theirs would be found.
ONE_ROW = {"approval_policy", "point_cost"}

PROBES: Mapping[str, str] = {
    "member": f"""query($name: String!) {{ member(by: {{externalId: $name}}) {{
      id externalId identifiers attributes balances {{ {BALANCE} }}
      redemptions {{ edges {{ node {{ {REDEMPTION} }} }} }} }} }}""",
    "past": f"""query($name: String!) {{ member(by: {{externalId: $name}}) {{
      balance(unit: $name, asOf: "2026-01-01T17:00:00Z") {{ {BALANCE} }} }} }}""",
    "statement": """query($name: String!) { member(by: {externalId: $name}) {
      statement(unit: $name) { edges { node {
        version kind amount balanceAfter label rule cause } } } } }""",
    "card": "query($name: String!) { member(by: {identifier: $name}) { id externalId } }",
    "purchase": f"""query($name: String!) {{ purchase(source: $name, externalId: $name) {{
      id total {EARNED} member {{ externalId }} {DECIDED} returns {{ returnId state }} }} }}""",
    "lists": """query { members { edges { node { externalId } } }
      returns { edges { node { returnId state } } } units { code places }
      refusedDue { edges { node { job code } } }
      programs { slug status } }""",
    "setup": """query { apiKeys { edges { node { id prefix label } } }
      tokenIssuers { issuer } auditTrail(first: 50) { edges { node { action subject } } }
      viewer { tenant { slug name zone currencies } } programs { versions { number } } }""",
    "desk": """query { adjustmentReasons { code } approvalPolicy { thresholds { unit } publishing }
      approvalRequests { edges { node { id kind } } } backtests { id }
      bulkAdjustments { edges { node { id outcomes { edges { node { index amount } } } } } } }""",
    "costs": "query($name: String!) { liability(unit: $name) { costs { currency amount } } }",
    "webhooks": """query { webhookEndpoints { id url }
      webhookDeliveries { edges { node { id topic state } } } }""",
}
# The desk's own rows: a reason, a cost, a correction that waits for a second person, a back-test.
DESK = """mutation($name: String!, $from: DateTime!, $to: DateTime!) {
  setAdjustmentReason(input: { code: "DESK", label: $name }) { userErrors { code field } }
  setPointCost(input: { unit: $name, cost: "0.01", currency: "USD" }) { userErrors { code field } }
  setApprovalPolicy(input: { thresholds: [{ unit: $name, above: "1" }], publishing: true }) {
    userErrors { code field } }
  startBacktest(input: { program: $name, from: $from, to: $to }) { userErrors { code field } } }"""
CORRECT = """mutation($name: String!) { adjustBalances(input: { unit: $name, reasonCode: "DESK",
  idempotencyKey: $name, items: [{ member: { externalId: $name }, amount: "2" }] }) {
    userErrors { code field } } }"""
REFUSED = """insert into loyalty.refused_due (tenant_id, scope, key, id, job, kind, payload, due_at,
    reason, refused_at, retry_at)
  values ($1, 'job:points', 'ours', gen_random_uuid(), 'points/issuing', 'ours', '{}', now(),
    '{"code": "LIMIT_EXCEEDED", "message": ""}', now(), now())"""
SET_ISSUER = """mutation($issuer: String!) { setTokenIssuer(input: {
  issuer: $issuer, jwksUrl: "https://login.theirs.example/keys", algorithms: ["RS256"],
  audience: "loyalty" }) { userErrors { code field message } } }"""


async def test_whichever_policy_is_opened_some_answer_changes(
    new_dsn: Callable[[], Awaitable[Addresses]],
    make_own_server: Callable[..., Any],
    make_brand: Callable[..., Any],
) -> None:
    dsn = await new_dsn()
    server = await make_own_server(addresses=dsn, redis_url="")
    ours = await furnished(make_brand, OURS, on=server)
    theirs = await furnished(make_brand, THEIRS, on=server)
    data = await theirs.brand.admin.run(SET_ISSUER, issuer="https://login.theirs.example")
    assert data["setTokenIssuer"]["userErrors"] == []
    await _desk(ours.brand)
    admin = await asyncpg.connect(dsn.admin)
    try:
        await admin.execute(REFUSED, ours.brand.tenant_id)
        tables = [row["relname"] for row in await admin.fetch(TABLES)]
        for table in tables:
            await _twin(admin, table, ours.brand.tenant_id, theirs.brand.tenant_id)
        closed = await _answers(ours, theirs)
        seen = {}
        for table in tables:
            await admin.execute(f"alter policy tenant_isolation on loyalty.{table} using (true)")
            seen[table] = await _answers(ours, theirs) != closed
            await admin.execute(
                f"alter policy tenant_isolation on loyalty.{table} using ({ISOLATED})"
            )
        assert await _answers(ours, theirs) == closed
    finally:
        await admin.close()

    unnoticed = {table for table, noticed in seen.items() if not noticed}
    assert (unnoticed - NOT_READ, NOT_READ - unnoticed) == (set(), set())


async def _desk(brand: Any) -> None:
    """What admins keep, and a reward that was redeemed."""
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    for document, more in ((DESK, period), (CORRECT, {})):
        data = await brand.admin.run(document, name=OURS, **more)
        assert not [one for one in data.values() if one["userErrors"]], data
    given = {
        "member": {"externalId": OURS}, "reward": "prize", "unit": OURS, "program": OURS,
        "idempotencyKey": "prize-of-ours", "capture": True, "order": "prize",
    }  # fmt: skip
    data = await brand.service.run(REDEEM, input=given)
    assert data["redeemPoints"]["userErrors"] == [], data


async def _twin(admin: Any, table: str, ours: Any, theirs: Any) -> None:
    """Our rows once more, as theirs: with our ids, so that nothing but the policy keeps them
    apart. What is unique over all tenants differs."""
    await admin.execute("set session_replication_role = replica")  # rows refer to none of theirs
    await admin.execute(
        f"""insert into loyalty.{table}
            select (jsonb_populate_record(t, jsonb_build_object('tenant_id', $2::uuid) || case
                      when '{table}' = 'api_key' then jsonb_build_object(
                        'prefix', translate(to_jsonb(t) ->> 'prefix', '0123456789', '1234567890'),
                        'label', 'twin')
                      when '{table}' = 'decision' then jsonb_build_object('body', '{{}}'::jsonb)
                      else '{{}}' end)).*
              from loyalty.{table} t where tenant_id = $1
            on conflict do nothing""",
        ours,
        theirs,
    )
    if table in ONE_ROW:
        await admin.execute(f"delete from loyalty.{table} where tenant_id = $1", ours)


def _forged(ours: Any, theirs: Any) -> Client:
    """Somebody who claims to be a member of ours by a secret of theirs; somebody new each time,
    for a token that was good is believed for some seconds."""
    forger: Client = replace(ours.brand, secret=theirs.brand.secret).member(new_id().hex)
    return forger


async def _answers(ours: Any, theirs: Any) -> dict[str, str]:
    """What our admin is answered about our things by name, and about theirs by name and id."""
    brand, found = ours.brand, {}
    brand.server.services.api.forget(brand.tenant_id)
    for name, document in PROBES.items():
        for word in (OURS, THEIRS) if "$name" in document else (OURS,):
            answer = await brand.admin.post(document, {"name": word})
            found[f"{name} {word}"] = answer.text
    found["a token by their secret"] = (await _forged(ours, theirs).post("{ __typename }")).text
    nodes = " ".join(f'_{n}: node(id: "{one}") {{ id }}' for n, one in enumerate(theirs.ids))
    found["nodes"] = (await brand.admin.post(f"{{ {nodes} }}")).text
    return found
