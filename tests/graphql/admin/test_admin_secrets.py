"""Secrets are shown when they are made, and by nothing that can be asked afterwards."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty_tenants.principal import Role
from loyalty_tenants.tokens import issue_token

from .documents import QUERIES, TENANT, done, refusals, trail

WEBHOOK = "whsec-5mFQ2v0bX9"


def signed(brand: Any, kid: str, secret: str) -> Any:
    """An admin of the brand who signs in with a token that the brand signed itself."""
    token = issue_token(
        secret=secret, kid=kid, issuer=brand.slug, tenant=brand.slug, role=Role.ADMIN,
        subject="boss", now=brand.clock.now(), lifetime=timedelta(minutes=5),
    )  # fmt: skip
    return replace(brand.admin, credential=token)


async def test_a_new_secret_signs_and_the_one_before_still_does(brand: Any) -> None:
    before = signed(brand, str(brand.secret.kid), brand.secret.text)
    made = await done(brand.admin, "rotateTenantSecret")
    after = signed(brand, made["kid"], made["secret"])
    for client in (before, after):
        await client.run("{ viewer { role } }")
    assert await trail(brand.admin, first=1) == [("secret.rotate", f"tenant_secret:{made['kid']}")]


async def test_without_overlap_the_old_secret_ends_at_once(brand: Any) -> None:
    before = signed(brand, str(brand.secret.kid), brand.secret.text)
    await before.run("{ viewer { role } }")
    made = await done(brand.admin, "rotateTenantSecret", overlapSeconds=0)
    assert await before.refused("{ viewer { role } }") == [("UNAUTHENTICATED", None)]
    await signed(brand, made["kid"], made["secret"]).run("{ viewer { role } }")


@pytest.mark.parametrize("seconds", [-1, 30 * 86400 + 1])
async def test_a_bad_overlap_is_refused(brand: Any, rows_of: Any, seconds: int) -> None:
    before = await rows_of(brand)
    given = {"overlapSeconds": seconds}
    refusal = [("BAD_USER_INPUT", "overlapSeconds")]
    assert await refusals(brand.admin, "rotateTenantSecret", **given) == refusal
    assert await rows_of(brand) == before


async def test_no_answer_shows_a_secret_again(
    brand: Any, operator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = await done(brand.admin, "createApiKey", role="ADMIN", client="second")
    rotated = await done(brand.admin, "rotateTenantSecret")
    config = {"unit": "points", "webhook_secret": WEBHOOK}
    answers: list[Any] = []
    made = await done(
        brand.admin, "createProgram", slug="card", kind="punch", name="Card", config=config
    )
    answers.append(made)
    program = made["program"]
    assert program["secretsSet"] == ["webhook_secret"]
    ident = {"id": program["id"], "expectedVersion": 1}
    answers.append(await done(brand.admin, "updateProgram", **ident, config={"unit": "points"}))
    assert answers[-1]["program"]["secretsSet"] == ["webhook_secret"], "left out: kept"
    answers.append(await done(brand.admin, "publishProgram", **{**ident, "expectedVersion": 2}))
    answers.append(await done(brand.admin, "revokeApiKey", id=key["apiKey"]["id"]))
    for client in (brand.admin, operator(brand.slug)):
        answers += [await client.run(query) for query in QUERIES]
    wrong = {"unit": "points", "needed": "x", "webhook_secret": WEBHOOK}
    again = {**ident, "expectedVersion": 3}
    assert await refusals(brand.admin, "updateProgram", **again, config=wrong)
    assert len(json.dumps(answers)) > 5000
    secrets = (WEBHOOK, rotated["secret"], key["secret"], key["secret"].split("_")[-1])
    for secret in secrets:
        assert secret not in json.dumps(answers)
        assert secret not in caplog.text
    forgotten = {"unit": "points", "webhook_secret": None}
    last = await done(brand.admin, "updateProgram", **again, config=forgotten)
    assert last["program"]["secretsSet"] == []


async def test_the_first_key_of_a_tenant_is_shown_once(operator: Any, brand: Any) -> None:
    slug = f"{brand.slug}-b"
    made = await done(operator(), "createTenant", slug=slug, name="New", zone="UTC")
    admin = replace(brand.admin, credential=made["secret"])
    answers = [await client.run(q) for client in (admin, operator(slug)) for q in QUERIES]
    answers.append(
        await operator().run(f"{{ tenants(last: 5) {{ edges {{ node {{ {TENANT} }} }} }} }}")
    )
    assert made["apiKey"]["prefix"] in json.dumps(answers)
    assert made["secret"].split("_")[-1] not in json.dumps(answers)
