"""The audit trail over the API: what, who, when, and page by page."""

from typing import Any

from loyalty_tenants import audit
from loyalty_tenants.principal import Actor

from .documents import ENTRY, PAGE, done

BY = Actor(role="ADMIN", subject="boss")
QUERY = f"""query($first: Int, $after: String, $last: Int, $before: String) {{
  auditTrail(first: $first, after: $after, last: $last, before: $before) {{
    edges {{ cursor node {{ {ENTRY} }} }} {PAGE} }} }}"""


async def page(client: Any, **given: Any) -> tuple[list[Any], Any]:
    found = (await client.run(QUERY, **given))["auditTrail"]
    return [edge["node"] for edge in found["edges"]], found["pageInfo"]


async def test_an_entry_says_who_changed_what_and_in_which_request(
    brand: Any, operator: Any
) -> None:
    answer = await brand.admin.post(
        'mutation { createUnit(input: { code: "stars", name: "Stars" }) { userErrors { code } } }'
    )
    entry = (await page(brand.admin, first=1))[0][0]
    assert entry["requestId"] == answer.headers["x-request-id"]
    assert (entry["actor"], entry["role"]) == ("admin", "ADMIN")
    assert (entry["action"], entry["subject"]) == ("unit.create", "unit:stars")
    assert entry["details"] == {"kind": "POINTS", "name": "Stars", "places": 0}
    assert entry["at"] == "2026-01-01T17:00:00Z"
    await done(operator(brand.slug), "createUnit", code="moons", name="Moons")
    newest = (await page(brand.admin, first=1))[0][0]
    assert (newest["actor"], newest["role"]) == ("ops", "OPERATOR")


async def test_pages_meet_and_leave_nothing_out(brand: Any) -> None:
    api, now = brand.server.services.api, brand.clock.now()
    async with api.database.tenant(brand.tenant_id) as connection:
        for number in range(105):
            subject = f"number:{number}"
            await audit.write(connection, BY, action="count", subject=subject, now=now)
    whole, info = await page(brand.admin, first=100)
    assert len(whole) == 100
    assert info["hasNextPage"] is True
    rest, end = await page(brand.admin, first=100, after=info["endCursor"])
    assert end["hasNextPage"] is False
    every = [entry["id"] for entry in [*whole, *rest]]
    assert len(set(every)) == len(every) > 105
    assert rest[-1]["action"] == "tenant.create"
    back, before = await page(brand.admin, last=100, before=end["endCursor"])
    assert [entry["id"] for entry in back] == every[-101:-1]
    assert before["hasPreviousPage"] is True


async def test_a_tenant_reads_its_own_trail_only(make_brand: Any) -> None:
    ours, theirs = await make_brand(config=None), await make_brand(config=None)
    await done(ours.admin, "createUnit", code="stars", name="Stars")
    assert "unit:stars" in str(await page(ours.admin))
    assert "unit:stars" not in str(await page(theirs.admin, first=100))
    cursor = (await page(ours.admin, first=1))[1]["endCursor"]
    refused = await theirs.admin.refused(QUERY, after=cursor)
    assert refused == [("BAD_USER_INPUT", ["auditTrail"])]
