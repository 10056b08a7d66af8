"""The template rei-dividend: a part of the year's eligible net purchases, declared afterwards."""

from typing import Any

import pytest

from tests.graphql.desk_documents import done

DECLARE = """
mutation($input: DeclareDividendInput!) { declareDividend(input: $input) { replayed
    dividend { year percent baseUnit unit issuesAt issued members amount }
    userErrors { code field message details } } }
"""
DIVIDENDS = """
query($program: String!) { dividends(program: $program) { year percent issued members amount } }
"""
CHOOSE = """
mutation($input: ChooseDonationInput!) { chooseDonation(input: $input) { donates replayed
    userErrors { code field } } }
"""
KEPT = """
select a.kind, sum(case when p.to_id = a.id then p.amount else -p.amount end)::int
  from loyalty.account a join loyalty.posting p on a.id in (p.to_id, p.from_id)
 where a.owner_kind = 'PROGRAM' and a.unit = 'dividend' group by 1 order by 1
"""
ITEMS = {
    "tent": {"amount": "300.00", "category": "camping"},
    "outlet": {"amount": "80.00", "category": "outlet/shoes"},
    "card": {"amount": "50.00", "kind": "GIFT_CARD"},
    "jacket": {"amount": "120.00", "category": "clothing"},
    "socks": {"amount": "45.50", "category": "clothing"},
}


def basket(*names: str) -> dict[str, Any]:
    return {"lines": [{"id": name, **ITEMS[name]} for name in names]}


@pytest.fixture
def rei(starts: Any) -> Any:
    async def begin(at: str = "2024-02-01T12:00") -> Any:
        return await starts("rei-dividend", at)

    return begin


async def declares(story: Any, year: int, percent: str) -> Any:
    given = {"program": "points", "year": year, "percent": percent}
    return (await story.brand.admin.run(DECLARE, input=given))["declareDividend"]


@pytest.mark.parametrize(("percent", "dividend"), [("10", "34.55"), ("9.5", "32.82")])
async def test_ten_percent_of_what_is_eligible_and_stayed(
    rei: Any, percent: str, dividend: str
) -> None:
    """REI-1: base 345.50; at 10 % $34.55, at 9.5 % $32.82 (half up)."""
    story = await rei()
    await story.buys("425.50", **basket("tent", "outlet", "socks"))
    await story.buys("50.00", **basket("card"))
    jacket = await story.buys("120.00", **basket("jacket"))
    await story.comes("2024-07-01T12:00")
    await story.brings_back(jacket)
    assert (await story.has())["available"] == "345.50"

    await story.comes("2025-01-20T09:00")
    declared = await declares(story, 2024, percent)
    assert declared["userErrors"] == []
    assert declared["dividend"]["issuesAt"] == "2025-03-15T04:00:00Z"
    await story.comes("2025-03-14T23:59:59")
    assert await story.available("dividend") == "0.00"
    await story.comes("2025-03-15T00:00")

    assert (await story.available("dividend"), await story.available()) == (dividend, "0.00")
    [deadline] = (await story.has("dividend"))["expiries"]
    assert deadline["at"] == "2027-03-15T04:00:00Z"
    [seen] = (await story.brand.admin.run(DIVIDENDS, program="points"))["dividends"]
    assert seen == {
        "year": 2024, "percent": percent, "issued": True, "members": 1, "amount": dividend,
    }  # fmt: skip


@pytest.mark.parametrize(("net", "dividend"), [("9.99", "0.00"), ("10.00", "1.00")])
async def test_less_than_the_minimum_has_no_dividend(rei: Any, net: str, dividend: str) -> None:
    """REI-2: net 9.99 gives nothing, 10.00 gives 1.00; either way the year's base is used up."""
    story = await rei()
    await story.buys(net)
    await story.comes("2025-01-20T09:00")
    await declares(story, 2024, "10")

    await story.comes("2025-03-15T00:00")

    assert (await story.available("dividend"), await story.available()) == (dividend, "0.00")


async def test_who_is_frozen_on_the_day_has_their_dividend(rei: Any) -> None:
    """345.50 of 2024 at 9.5 %, and of 2025 what was bought then at its own rate."""
    story = await rei()
    await story.buys("345.50")
    await story.comes("2025-02-01T12:00")
    await declares(story, 2024, "9.5")
    await story.buys("60.00")
    frozen = {"member": {"externalId": "ada"}, "reason": "Card reported stolen"}
    await done(story.brand.admin, "freezeMember", **frozen)

    await story.comes("2025-03-15T00:00")
    assert (await story.available("dividend"), await story.available()) == ("32.82", "60.00")

    await story.comes("2026-02-01T12:00")
    await declares(story, 2025, "5")
    await story.comes("2026-03-15T00:00")
    assert (await story.available("dividend"), await story.available()) == ("35.82", "0.00")


async def test_what_was_bought_since_counts_for_the_next_year(rei: Any) -> None:
    story = await rei()
    await story.buys("100.00")
    await story.comes("2025-02-01T12:00")
    await declares(story, 2024, "10")
    await story.buys("60.00")

    await story.comes("2025-03-15T00:00")

    assert (await story.available("dividend"), await story.available()) == ("10.00", "60.00")


async def test_what_came_back_after_the_dividend_is_off_the_next_one(rei: Any) -> None:
    story = await rei()
    tent = await story.buys("300.00", **basket("tent"))
    await story.comes("2025-01-20T09:00")
    await declares(story, 2024, "10")
    await story.comes("2025-03-15T00:00")

    await story.brings_back(tent)
    owed = await story.has()
    await story.buys("420.00")

    assert (owed["available"], owed["deficit"]) == ("0.00", "300.00")
    assert await story.available() == "120.00"
    assert await story.available("dividend") == "30.00"


async def test_a_dividend_ends_two_years_after_its_issue(rei: Any) -> None:
    """REI-3: issued 2025-03-15, gone 2027-03-15 00:00, as EXPIRE."""
    story = await rei()
    await story.buys("345.50", **basket("tent", "socks"))
    await story.comes("2025-01-20T09:00")
    await declares(story, 2024, "10")
    await story.comes("2025-03-15T10:00")

    await story.comes("2027-03-14T23:59:59")
    assert await story.available("dividend") == "34.55"
    await story.comes("2027-03-15T00:00")

    assert await story.available("dividend") == "0.00"
    last = (await story.statement("dividend"))[-1]
    assert (last["kind"], last["amount"]) == ("EXPIRE", "-34.55")
    assert last["occurredAt"] == "2027-03-15T04:00:00Z"


@pytest.mark.parametrize("donates", [True, False])
async def test_who_chose_so_donates_what_ends(rei: Any, donates: bool) -> None:
    """REI-3: donated if the member chose "donate instead of expire"."""
    story = await rei()
    choice = {
        "member": {"externalId": "ada"}, "program": "points", "donates": donates,
        "idempotencyKey": story.brand.key(),
    }  # fmt: skip
    ada = story.brand.member("ada")
    chosen = (await ada.run(CHOOSE, input=choice))["chooseDonation"]
    assert chosen == {"donates": donates, "replayed": False, "userErrors": []}
    await story.buys("345.50", **basket("tent", "socks"))
    await story.comes("2025-01-20T09:00")
    await declares(story, 2024, "10")
    await story.comes("2025-03-15T10:00")

    await story.comes("2027-03-15T00:00")

    assert await story.available("dividend") == "0.00"
    api = story.brand.server.services.api
    async with api.database.tenant(story.brand.tenant_id, read_only=True) as connection:
        kept = await connection.fetch(KEPT)
    ended = {"breakage": 0, "charity": 3455} if donates else {"breakage": 3455}
    assert {kind: amount for kind, amount in kept if kind != "issued"} == ended


async def test_the_base_is_for_nothing_else_and_the_dividend_is_spent(rei: Any) -> None:
    story = await rei()
    await story.buys("300.00", **basket("tent"))
    refused = await story.asks_for("10.00")
    assert [e["code"] for e in refused["userErrors"]] == ["BAD_USER_INPUT"]
    await story.comes("2025-01-20T09:00")
    await declares(story, 2024, "10")
    await story.comes("2025-03-15T00:00")

    payload = await story.asks_for("12.34", capture=True, unit="dividend")

    assert payload["userErrors"] == []
    assert await story.available("dividend") == "17.66"


async def test_a_rate_may_be_corrected_until_it_is_issued(rei: Any) -> None:
    story = await rei()
    await story.buys("100.00")
    await story.comes("2025-01-20T09:00")

    first, again = await declares(story, 2024, "1.0"), await declares(story, 2024, "1")
    other = await declares(story, 2024, "10")
    assert (first["replayed"], again["replayed"], other["replayed"]) == (False, True, False)
    assert other["dividend"]["percent"] == "10"

    await story.comes("2025-03-15T00:00")
    assert await story.available("dividend") == "10.00"
    late = await declares(story, 2024, "11")
    assert [(e["code"], e["field"]) for e in late["userErrors"]] == [("TOO_LATE", "year")]


@pytest.mark.parametrize(
    ("year", "percent", "code", "field"),
    [
        (2025, "10", "TOO_EARLY", "year"),
        (2023, "10", "TOO_EARLY", "year"),
        (2024, "101", "BAD_AMOUNT", "percent"),
        (2024, "-1", "BAD_AMOUNT", "percent"),
        (2024, "ten", "BAD_AMOUNT", "percent"),
    ],
)
async def test_a_rate_that_cannot_be_is_refused(
    rei: Any, year: int, percent: str, code: str, field: str
) -> None:
    story = await rei()
    await story.comes("2025-01-20T09:00")

    refused = await declares(story, year, percent)

    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [(code, field)]
    assert (await story.brand.admin.run(DIVIDENDS, program="points"))["dividends"] == []


async def test_years_are_declared_in_their_order(rei: Any) -> None:
    story = await rei()
    await story.buys("100.00")
    await story.comes("2026-01-20T09:00")
    await story.buys("900.00")

    early = await declares(story, 2025, "10")
    assert early["userErrors"][0]["details"] == {"missing": [2024]}
    await declares(story, 2024, "5")  # its day has passed: it is issued at once
    await declares(story, 2025, "10")
    await story.comes("2026-01-20T10:00")

    assert (await story.available("dividend"), await story.available()) == ("5.00", "900.00")


async def test_only_admins_declare(rei: Any) -> None:
    story = await rei()
    await story.comes("2025-01-20T09:00")
    given = {"program": "points", "year": 2024, "percent": "10"}

    for caller in (story.brand.service, story.brand.member("ada")):
        assert await caller.refused(DECLARE, input=given) == [("FORBIDDEN", ["declareDividend"])]
    await declares(story, 2024, "10")

    trail = await story.brand.admin.run(
        "query { auditTrail(first: 1) { edges { node { action subject details } } } }"
    )
    assert trail["auditTrail"]["edges"][0]["node"] == {
        "action": "dividend.declare", "subject": "program:points",
        "details": {"year": 2024, "percent": "10", "revision": 1},
    }  # fmt: skip
