"""Back-tests over the API: asked for, walked by a worker in processes of their own, read."""

from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree

import pytest

from loyalty.jobs.worker import Worker
from loyalty_app.backtests.walker import Walker
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_app.worker import PublishedVersions
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_tenants.principal import Role

from .documents import BACKTEST, asked, done, refusals, trail

RULE = {
    "id": "base",
    "label": "2 points per dollar",
    "accounting_class": "MATERIAL_RIGHT",
    "points": "2",
    "per": {"USD": "1.00"},
}
TWICE: dict[str, Any] = {"unit": "points", "rules": [RULE], "terms": {"lifetime": {"span": "P1Y"}}}
PERIOD = {"from": "2025-12-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
ONE = f"query($id: ID!) {{ backtest(id: $id) {{ {BACKTEST} }} }}"
RECORD = """mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  purchase { id } userErrors { code field } } }"""
MONEY = ("fact", "decision", "posting", "lot", "account", "counter", "trait", "outbox")


@pytest.fixture
async def worker(brand: Any, dsn: Addresses) -> AsyncIterator[Worker]:
    settings = Settings(worker_database_url=dsn.worker)
    async with open_ledger(settings, dsn.worker, clock=brand.clock, pool=3) as ledger:
        made = Worker(ledger.recorder, PublishedVersions(), walker=Walker(settings))
        yield made
        await made.backtests.close()


async def started(brand: Any, **given: Any) -> Any:
    asking = {"program": "points", "config": TWICE, **PERIOD, **given}
    return (await done(brand.admin, "startBacktest", **asking))["backtest"]


async def walked(worker: Worker, brand: Any, backtest: Any) -> Any:
    await worker.run_due(brand.tenant_id)
    await worker.backtests.wait()
    return (await brand.admin.run(ONE, id=backtest["id"]))["backtest"]


async def buys(brand: Any, who: str, amount: str) -> None:
    data = await brand.service.run(RECORD, input=brand.purchase(who, amount))
    assert data["recordPurchase"]["userErrors"] == []


async def test_a_draft_is_replayed_and_nothing_is_written(
    brand: Any, worker: Worker, everything: Any
) -> None:
    await brand.enroll("ada")
    await brand.enroll("bob")
    for who, amount in (("ada", "10.00"), ("ada", "5.50"), ("bob", "3.00")):
        await buys(brand, who, amount)
    await worker.run_due(brand.tenant_id)
    before = [await _rows(everything, brand, table) for table in MONEY]

    queued = await started(brand, costPerPoint="0.01")
    assert (queued["state"], queued["report"], queued["csv"]) == ("QUEUED", None, None)
    found = await walked(worker, brand, queued)

    assert (found["state"], found["error"]) == ("DONE", None)
    assert (found["done"], found["total"]) == (5, 5)
    (unit,) = found["report"]["units"]
    published = {"times": 3, "granted": "18", "takenBack": "0", "net": "18", "cost": "0.18"}
    draft = {"times": 3, "granted": "37", "takenBack": "0", "net": "37", "cost": "0.37"}
    assert (unit["published"], unit["draft"], unit["currency"]) == (published, draft, "USD")
    (month,) = unit["months"]
    assert (month["name"], month["draft"]["net"]) == ("2026-01", "37")
    assert [(one["externalId"], one["draft"]) for one in unit["gain"]] == [
        ("ada", "31"), ("bob", "6"),
    ]  # fmt: skip
    assert (unit["membersBetter"], unit["membersWorse"], unit["lose"]) == (2, 0, [])
    assert found["csv"].startswith("part,unit,name")
    assert ElementTree.fromstring(found["chart"]).tag.endswith("svg")
    assert [await _rows(everything, brand, table) for table in MONEY] == before
    assert (await trail(brand.admin, first=1)) == [("backtest.start", "program:points")]


async def test_without_a_config_the_saved_draft_is_tested(brand: Any, worker: Worker) -> None:
    await brand.enroll("ada")
    await buys(brand, "ada", "10.00")

    found = await walked(worker, brand, await started(brand, config=None))

    (unit,) = found["report"]["units"]
    assert unit["published"] == unit["draft"]
    assert (unit["draft"]["net"], unit["draft"]["cost"], unit["currency"]) == ("10", None, None)


async def test_what_is_wrong_is_told_with_its_path(brand: Any) -> None:
    async def told(**given: Any) -> Any:
        asking = {"program": "points", "config": TWICE, **PERIOD, **given}
        return await refusals(brand.admin, "startBacktest", **asking)

    assert await told(program="nothing") == [("NOT_FOUND", "program")]
    assert await told(to=PERIOD["from"]) == [("BAD_USER_INPUT", "to")]
    assert await told(costPerPoint="-1") == [("BAD_AMOUNT", "costPerPoint")]
    wrong = {**TWICE, "rules": [{**RULE, "points": 2}]}
    assert await told(config=wrong) == [("BAD_CONFIG", "config.rules.0.points")]
    assert await told(config={**TWICE, "unit": "pints"}) == [("BAD_CONFIG", "config.unit")]


async def test_one_at_a_time_and_it_can_be_called_off(brand: Any, worker: Worker) -> None:
    first = await started(brand)
    again = await refusals(brand.admin, "startBacktest", program="points", config=TWICE, **PERIOD)
    assert again == [("LIMIT_EXCEEDED", None)]

    cancelled = (await done(brand.admin, "cancelBacktest", id=first["id"]))["backtest"]
    assert (cancelled["state"], cancelled["report"]) == ("CANCELLED", None)
    second = await started(brand)
    both = (await brand.admin.run("{ backtests { id state } }"))["backtests"]
    assert [(one["id"], one["state"]) for one in both] == [
        (second["id"], "QUEUED"), (first["id"], "CANCELLED"),
    ]  # fmt: skip
    assert (await walked(worker, brand, second))["state"] == "DONE"


async def test_nobody_elses_is_there(brand: Any, make_brand: Any) -> None:
    mine, other = await started(brand), await make_brand()
    assert (await other.admin.run(ONE, id=mine["id"]))["backtest"] is None
    payload = await asked(other.admin, "cancelBacktest", id=mine["id"])
    assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]
    wrong_kind = node_id("Program", uuid_of(mine["id"], "Backtest", field="id"))
    assert (await brand.admin.run(ONE, id=wrong_kind))["backtest"] is None


async def test_admins_alone_may_ask(brand: Any) -> None:
    for role in (Role.SERVICE, Role.MEMBER, Role.PARTNER):
        codes = await brand.token(role, "somebody").refused("{ backtests { id } }")
        assert [code for code, _ in codes] == ["FORBIDDEN"]


async def _rows(everything: Any, brand: Any, table: str) -> Any:
    return await everything.fetchval(
        f"select md5(string_agg(t::text, '|' order by t::text)) from loyalty.{table} t"
        " where t.tenant_id = $1", brand.tenant_id,
    )  # fmt: skip
