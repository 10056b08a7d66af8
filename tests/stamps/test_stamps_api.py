"""Over HTTP: fields of its own on the platform's types, and its door; with the worker behind."""

import hmac
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.jobs.worker import Worker
from loyalty.orm import bound
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty_app.asgi import create_app
from loyalty_app.fresh_context import FreshContext
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_app.worker import PublishedVersions
from loyalty_graphql.compose import compose, sdl, undeclared
from loyalty_graphql.core import CORE
from loyalty_points.plugin import plugin as points
from loyalty_stamps import graphql, tables
from loyalty_stamps.inbound import SIGNATURE
from loyalty_stamps.models import Buddy
from loyalty_stamps.plugin import plugin as stamps
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.setups import TenantSetups

BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
OPERATOR_SECRET = secrets.token_urlsafe(32)
MEMBERS = "{ members(first: 50) { edges { node { externalId stampCards { program stamps } } } } }"


@pytest.fixture
async def http(shop: Any, dsn: Addresses) -> AsyncIterator[httpx.AsyncClient]:
    """The API with the punch card installed, as the shop's own service."""
    settings = Settings(app_database_url=dsn.app, operator_secret=OPERATOR_SECRET)
    app = create_app(settings, plugins=(points, stamps), clock=shop.clock)
    assert isinstance(app, FreshContext)
    inner = app._app._app  # type: ignore[attr-defined]
    assert isinstance(inner, Starlette)
    async with shop.database.tenant(shop.tenant_id) as connection:
        key = await issue_key(
            connection, BOSS, role=Role.SERVICE, client="till", now=shop.clock.now()
        )
    async with (
        inner.router.lifespan_context(inner),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://api",
            headers={"authorization": f"Bearer {key.text}"},
        ) as client,
    ):
        yield client


async def ask(http: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = await http.post("/graphql", json={"query": query, "variables": variables})
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


def test_the_schema_has_its_fields_described_and_authorised() -> None:
    schema = compose(CORE, [points, stamps])

    assert undeclared(schema) == []
    assert "stampCards: [StampCard!]!" in sdl(schema)
    assert "stampPrograms: [StampProgram!]!" in sdl(schema)
    assert "stampCards" not in sdl(compose(CORE, [points]))


async def test_a_page_of_members_shows_their_cards_in_one_statement(
    shop: Any, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def counted(connection: Any, members: Any) -> Any:
        asked.append(len(members))
        return await tables.cards_of(connection, members)

    monkeypatch.setattr(graphql, "cards_of", counted)
    await shop.run("card", buddy_stamps=1)
    await shop.run("other", needed=10)
    members = [await shop.member(f"m-{number}") for number in range(8)]
    await shop.records(*(shop.coffees(member, 2) for member in members))

    data = await ask(http, MEMBERS)

    shown = [edge["node"]["stampCards"] for edge in data["members"]["edges"]]
    assert shown == [[{"program": "card", "stamps": 2}, {"program": "other", "stamps": 2}]] * 8
    assert asked == [8]


async def test_a_card_past_its_end_is_not_shown(shop: Any, http: httpx.AsyncClient) -> None:
    await shop.run("card", card_days=5)
    member = await shop.member("ann")
    await shop.record(shop.coffees(member, 2))
    query = '{ member(by: {externalId: "ann"}) { stampCards { stamps needed endsAt } } }'

    before = await ask(http, query)
    shop.pass_time(days=5)
    after = await ask(http, query)

    assert before["member"]["stampCards"] == [
        {"stamps": 2, "needed": 3, "endsAt": "2026-01-15T12:00:00Z"}
    ]
    assert after["member"]["stampCards"] == []


async def test_what_is_offered_is_listed(shop: Any, http: httpx.AsyncClient) -> None:
    await shop.run("card")
    await shop.run("shop", kind="points")

    data = await ask(http, "{ stampPrograms { slug needed reward unit } }")

    assert data["stampPrograms"] == [
        {"slug": "card", "needed": 3, "reward": "10", "unit": "points"}
    ]


async def test_without_a_credential_nothing_of_it_is_shown(
    shop: Any, http: httpx.AsyncClient
) -> None:
    answer = await http.post(
        "/graphql", json={"query": "{ stampPrograms { slug } }"}, headers={"authorization": ""}
    )

    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_its_door_takes_what_is_signed_and_each_event_once(
    shop: Any, http: httpx.AsyncClient
) -> None:
    await shop.run("card", visit_stamps=1, webhook_secret="hush")
    member = await shop.member("ann")
    (tenant,) = await shop.rows("select slug from loyalty.tenant")
    visit = {"id": "v-1", "member": "ann", "at": shop.clock.now().isoformat()}
    raw = json.dumps({"visits": [visit, {**visit, "id": "v-2", "member": "nobody"}]}).encode()
    path = f"/in/{tenant['slug']}/stamps"

    async def deliver(secret: str, body: bytes = raw, to: str = path) -> httpx.Response:
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return await http.post(to, content=body, headers={SIGNATURE: signature})

    assert (await deliver("guessed")).status_code == 401
    assert (await deliver("hush", b"[]")).status_code == 400
    unnamed = json.dumps({"visits": [{**visit, "id": ""}]}).encode()
    assert (await deliver("hush", unnamed)).status_code == 400
    assert (await deliver("hush", to=path + "x")).status_code == 404
    assert await shop.stamps(member) == []

    first, again = await deliver("hush"), await deliver("hush")

    assert (first.status_code, first.json()["recorded"]) == (200, 1)
    assert [one["eventId"] for one in first.json()["ignored"]] == ["v-2"]
    assert (again.json()["recorded"], again.json()["known"]) == (0, 1)
    assert await shop.stamps(member) == [1]


async def test_a_delivery_that_finds_no_room_is_to_be_sent_again(
    shop: Any, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.run("card", visit_stamps=1, webhook_secret="hush")
    member = await shop.member("ann")
    (tenant,) = await shop.rows("select slug from loyalty.tenant")
    visit = {"id": "v-1", "member": "ann", "at": shop.clock.now().isoformat()}
    raw = json.dumps({"visits": [visit]}).encode()
    signature = hmac.new(b"hush", raw, "sha256").hexdigest()

    async def deliver() -> httpx.Response:
        path = f"/in/{tenant['slug']}/stamps"
        return await http.post(path, content=raw, headers={SIGNATURE: signature})

    async def full(*given: Any) -> Any:
        raise Refused(Code.OVERLOADED, "too many requests wait")

    async def broken(*given: Any) -> Any:
        raise KeyError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Lanes, "record_many", full)
        refused = await deliver()
        patch.setattr(Lanes, "record_many", broken)
        with pytest.raises(KeyError):  # a 500: the sender comes again, which a 400 would forbid
            await deliver()
    again = await deliver()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (again.status_code, again.json()["recorded"]) == (200, 1)
    assert await shop.stamps(member) == [1]


async def test_admins_see_what_the_rules_of_a_purchase_were_judged_by(
    shop: Any, http: httpx.AsyncClient
) -> None:
    await shop.run("shop", kind="points")
    await shop.run("card", budget_per_month=25, first_card=7)
    member = await shop.member("ann")
    purchases = [shop.coffees(member, 3, external_id=f"r-{number}") for number in range(2)]
    await shop.records(*purchases)
    async with shop.database.tenant(shop.tenant_id) as connection:
        boss = await issue_key(
            connection, BOSS, role=Role.ADMIN, client="boss", now=shop.clock.now()
        )
    query = """query($id: String!) { purchase(source: "till", externalId: $id) { decisionInputs {
      program programVersion traits { name value since until } counters { name value } } } }"""

    refused = (
        await http.post("/graphql", json={"query": query, "variables": {"id": "r-0"}})
    ).json()
    http.headers["authorization"] = f"Bearer {boss.text}"
    found = [await ask(http, query, id=f"r-{number}") for number in range(2)]

    assert [e["extensions"]["code"] for e in refused["errors"]] == ["FORBIDDEN"]
    nothing = {"value": None, "since": None, "until": None}
    one_card = {"value": 1, "since": "2026-01-10T12:00:00Z", "until": None}
    assert [data["purchase"]["decisionInputs"] for data in found] == [
        [
            {
                "program": "card",
                "programVersion": 1,
                "traits": [{"name": "card.cards_filled", **trait}],
                "counters": [{"name": "paid", "value": paid}],
            }
        ]
        for trait, paid in ((nothing, "0"), (one_card, "10"))
    ]


async def test_its_model_reads_over_the_tenants_connection(
    shop: Any, http: httpx.AsyncClient
) -> None:
    await shop.run("card")
    member, buddy = await shop.buddies()

    async with shop.database.tenant(shop.tenant_id, read_only=True) as connection:
        found = await Buddy.all().using_db(bound(connection))

    assert [(one.member_id, one.buddy_id) for one in found] == [(member.id, buddy.id)]


async def test_the_worker_does_all_that_falls_due(shop: Any, dsn: Addresses) -> None:
    await shop.run("card", needed=10, buddy_stamps=1, thanks_days=10, card_days=30)
    member, buddy = await shop.buddies()
    await shop.record(shop.coffees(member, 2))
    database = await Database.open(dsn.worker, size=2, acquire_timeout=30)
    setups = Setups(database, TenantSetups(shop.configs))
    worker = Worker(Recorder(database, shop.plugins, setups, shop.clock), PublishedVersions())

    await worker.run_due(shop.tenant_id)
    at_once = await shop.stamps(member), await shop.stamps(buddy)
    shop.pass_time(days=10)
    await worker.run_due(shop.tenant_id)
    later = await shop.stamps(member), await shop.stamps(buddy)
    shop.pass_time(days=21)
    await worker.run_due(shop.tenant_id)
    ended = await shop.stamps(member), await shop.stamps(buddy)
    await database.close()

    assert (at_once, later, ended) == (([2], [1]), ([3], [1]), ([0], [0]))
    (expired,) = await shop.rows(
        "select count(*) from loyalty.fact where kind = 'stamps.card_expired/1'"
    )
    assert expired["count"] == 2
