"""Budgets are told before they are used up: at set percents, once a period."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty_points.config import PointsConfig
from tests.graphql.documents import RECORD

REACHED = """select payload from loyalty.fact
 where tenant_id = $1 and kind = 'points.budget_reached/1' order by id"""
TOLD = """select count(*) from loyalty.outbox
 where tenant_id = $1 and topic = 'points.budget_reached/1'"""
HOOK = """mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
  userErrors { code field message } } }"""
BUDGET: dict[str, Any] = {"points": "100", "period": "month", "per": "program"}
RULE = {
    "id": "base", "label": "1 per dollar", "accounting_class": "MARKETING",
    "points": "1", "per": {"USD": "1.00"},
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "unit": "points", "rules": [RULE], "caps": [BUDGET], "budget_alarms": [80, 95],
}  # fmt: skip


@pytest.fixture
def spend(work: Any, dsn: Any) -> Any:
    """Gives so many points, lets the worker pass by, and answers which alarms there are."""

    async def spend(brand: Any, points: int) -> list[tuple[str, int, str]]:
        if points:
            await brand.service.run(RECORD, input=brand.purchase("ada", f"{points}.00"))
        brand.clock.advance(timedelta(minutes=2))
        await work(brand)
        connection = await asyncpg.connect(dsn.admin)
        try:
            rows = await connection.fetch(REACHED, brand.tenant_id)
            told = await connection.fetchval(TOLD, brand.tenant_id)
            assert told == len(rows) or brand.clock.at.month > 1, "old outbox rows are deleted"
        finally:
            await connection.close()
        alarms = [json.loads(row["payload"]) for row in rows]
        return [(one["target"], one["percent"], one["given"]) for one in alarms]

    return spend


async def test_each_part_is_told_once_a_period(make_brand: Any, spend: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    began = brand.clock.now()
    try:
        assert await spend(brand, 79) == []
        first = ("program", 80, "80")
        assert await spend(brand, 1) == [first]
        assert await spend(brand, 14) == [first]
        second = ("program", 95, "100")
        assert await spend(brand, 40) == [first, second], "and the cap cut the rest"
        assert await spend(brand, 0) == [first, second]
        brand.clock.at = began + timedelta(days=31)
        assert await spend(brand, 96) == [
            first, second, ("program", 80, "96"), ("program", 95, "96"),
        ]  # fmt: skip
    finally:
        brand.clock.at = began


async def test_of_two_budgets_of_one_period_each_is_told(make_brand: Any, spend: Any) -> None:
    larger = {**BUDGET, "points": "200"}
    brand = await make_brand(config={**CONFIG, "caps": [BUDGET, larger], "budget_alarms": [40]})
    await brand.enroll("ada")
    assert await spend(brand, 50) == [("program", 40, "50")]
    assert await spend(brand, 40) == [("program", 40, "50"), ("program", 40, "90")]


async def test_budgets_of_rules_are_told_and_caps_of_members_are_not(
    make_brand: Any, spend: Any
) -> None:
    own = {"points": "10", "period": "day"}
    rules = [{**RULE, "caps": [own, {**BUDGET, "points": "20"}]}]
    brand = await make_brand(config={**CONFIG, "rules": rules, "budget_alarms": [50]})
    await brand.enroll("ada")
    began = brand.clock.now()
    try:
        assert await spend(brand, 30) == [("rule.base", 50, "10")]
    finally:
        brand.clock.at = began


async def test_a_larger_budget_is_told_anew(make_brand: Any, spend: Any) -> None:
    brand = await make_brand(config={**CONFIG, "budget_alarms": [80]})
    await brand.enroll("ada")
    began = brand.clock.now()
    try:
        assert await spend(brand, 80) == [("program", 80, "80")]
        data = await brand.admin.run("{ programs { id version } }")
        program = data["programs"][0]
        for name, given in (
            ("updateProgram", {"config": {**CONFIG, "caps": [{**BUDGET, "points": "150"}]}}),
            ("publishProgram", {}),
        ):
            kind = f"{name[0].upper()}{name[1:]}Input"
            answer = await brand.admin.run(
                f"""mutation($input: {kind}!) {{ {name}(input: $input) {{
                      program {{ version }} userErrors {{ code message }} }} }}""",
                input={"id": program["id"], "expectedVersion": program["version"], **given},
            )
            assert answer[name]["userErrors"] == []
            program["version"] = answer[name]["program"]["version"]
        assert await spend(brand, 20) == [("program", 80, "80")]
        assert (await spend(brand, 25))[1:] == [("program", 80, "125")]
    finally:
        brand.clock.at = began


async def test_webhooks_may_subscribe_to_it(brand: Any) -> None:
    given = {"url": "https://hooks.example/", "topics": ["points.budget_reached.v1"]}
    made = await brand.admin.run(HOOK, input=given)
    assert made["createWebhookEndpoint"]["userErrors"] == []


@pytest.mark.parametrize("percents", [[0], [101], ["80"], [80.5]])
def test_percents_are_from_1_to_100(percents: Any) -> None:
    with pytest.raises(ValueError, match="budget_alarms"):
        PointsConfig.model_validate({**CONFIG, "budget_alarms": percents})
