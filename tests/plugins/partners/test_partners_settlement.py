"""Clearing and settlement: what moved is owed, stated by the month, agreed on, disputed, paid."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Alliance, Shop

JANUARY, FEBRUARY = "2026-01", "2026-02"
COST = """mutation { setPointCost(input: {unit: "points", cost: "0.0040", currency: "USD"}) {
  userErrors { code } } }"""


async def stated(shop: Shop, agreement: str, period: str | None = JANUARY) -> Any:
    data = await shop.brand.admin.run(documents.STATEMENT_OF, agreement=agreement, period=period)
    return data["partnerStatement"]


async def lines(shop: Shop, agreement: str, **more: Any) -> list[Any]:
    data = await shop.brand.admin.run(documents.LINES_OF, agreement=agreement, **more)
    return [edge["node"] for edge in data["partnerLines"]["edges"]]


def money(statement: Any) -> list[str]:
    names = ("opening", "movements", "fees", "payments", "disputes", "net")
    return [statement[name] for name in names]


async def exchanged(alliance: Alliance, *amounts: str) -> None:
    await alliance.air.give("ann", sum(map(int, amounts)))
    for amount in amounts:
        await alliance.exchange(alliance.air, "ann", amount)


async def over(alliance: Alliance, month: int, day: int = 2) -> None:
    alliance.air.brand.clock.at = datetime(2026, month, day, tzinfo=UTC)


async def test_what_an_exchange_is_to_both_books(alliance: Alliance) -> None:
    """3,099 points carried at 0.0040 become 1,033 settled at 0.0080: 12.40 is released, 8.26 owed
    and due. The 4.14 between them is earned."""
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await air.brand.admin.run(COST)
    await exchanged(alliance, "3100")

    (ours,), (theirs,) = await lines(air, agreement), await lines(hotel, agreement)
    assert (ours["pointsOut"], ours["amount"], ours["carried"]) == ("3099", "-8.26", "12.40")
    assert (theirs["pointsIn"], theirs["amount"], theirs["carried"]) == ("1033", "8.26", None)
    assert ours["id"] == theirs["id"]
    positions = [
        (await shop.brand.admin.run(documents.POSITIONS))["clearingPositions"][0]
        for shop in (air, hotel)
    ]
    assert (positions[0]["payable"], positions[0]["net"]) == ("8.26", "-8.26")
    assert (positions[1]["receivable"], positions[1]["net"]) == ("8.26", "8.26")


async def test_a_month_is_proposed_agreed_on_and_paid(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300", "3000")
    running = await stated(air, agreement)
    assert (running["state"], running["id"], running["net"]) == ("OPEN", None, "-8.80")
    month = {"agreement": agreement, "period": JANUARY}
    assert await air.refused("proposeStatement", **month) == "STATEMENT_STATE"
    await over(alliance, 2)

    proposed = (await air.done("proposeStatement", **month))["statement"]
    assert proposed["state"] == "PROPOSED"
    assert money(proposed) == ["0.00", "-8.80", "0.00", "0.00", "0.00", "-8.80"]
    assert (await hotel.done("proposeStatement", **month))["statement"]["id"] == proposed["id"]
    theirs = await stated(hotel, agreement)
    assert (theirs["net"], theirs["proposedByUs"], theirs["lineCount"]) == ("8.80", False, 2)

    which = {"statement": proposed["id"]}
    paid = {**which, "paymentRef": "IBAN 1"}
    assert await air.refused("agreeStatement", **which) == "STATEMENT_STATE"
    assert await hotel.refused("settleStatement", **paid) == "STATEMENT_STATE"
    await hotel.done("agreeStatement", **which)
    assert (await stated(air, agreement))["state"] == "AGREED"
    assert await air.refused("settleStatement", **paid) == "STATEMENT_STATE"  # it pays, and waits
    await hotel.done("settleStatement", **paid)
    await hotel.done("settleStatement", **paid)

    for shop in (air, hotel):
        done = await stated(shop, agreement)
        assert (done["state"], done["paymentRef"]) == ("SETTLED", "IBAN 1")
        positions = (await shop.brand.admin.run(documents.POSITIONS))["clearingPositions"]
        assert [one["net"] for one in positions] == ["0.00"]
    later = await stated(air, agreement, FEBRUARY)
    assert money(later) == ["-8.80", "0.00", "0.00", "8.80", "0.00", "0.00"]


async def test_a_dispute_reopens_its_line_only(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300", "3000")
    await over(alliance, 2)
    proposed = await air.done("proposeStatement", agreement=agreement, period=JANUARY)
    which = {"statement": proposed["statement"]["id"]}
    await hotel.done("agreeStatement", **which)
    first, second = await lines(air, agreement, period=JANUARY)
    line = {"agreement": agreement, "line": first["id"], "reason": "not our member"}

    dispute = (await air.done("disputePartnerLine", **line))["dispute"]
    assert await hotel.refused("disputePartnerLine", **line) == "STATEMENT_STATE"

    theirs = await stated(hotel, agreement)
    assert theirs["state"] == "DISPUTED"
    assert money(theirs) == ["0.00", "8.80", "0.00", "0.00", "-0.80", "8.00"]
    marked = [one["dispute"] for one in await lines(hotel, agreement)]
    assert marked[0] == {
        "id": dispute, "open": True, "accepted": False, "raisedByUs": False,
        "reason": "not our member",
    }  # fmt: skip
    assert marked[1] is None
    await hotel.done("settleStatement", **which, paymentRef="IBAN 2")
    left = [
        (await shop.brand.admin.run(documents.POSITIONS))["clearingPositions"][0]["net"]
        for shop in (air, hotel)
    ]
    assert left == ["-0.80", "0.80"]
    assert money(await stated(hotel, agreement, FEBRUARY))[-2:] == ["-0.80", "0.00"]

    decide = {"agreement": agreement, "dispute": dispute}
    assert await air.refused("decidePartnerDispute", **decide, accept=True) == "STATEMENT_STATE"
    assert await hotel.refused("decidePartnerDispute", **decide, accept=False) == "STATEMENT_STATE"
    await hotel.done("decidePartnerDispute", **decide, accept=True)
    await hotel.done("decidePartnerDispute", **decide, accept=True)
    left = [
        (await shop.brand.admin.run(documents.POSITIONS))["clearingPositions"][0]["net"]
        for shop in (air, hotel)
    ]
    assert left == ["0.00", "0.00"]
    assert money(await stated(hotel, agreement, FEBRUARY))[-2:] == ["0.00", "0.00"]
    assert second["dispute"] is None


async def test_a_withdrawn_dispute_leaves_the_line_as_it_was(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300")
    await over(alliance, 2)
    proposed = await air.done("proposeStatement", agreement=agreement, period=JANUARY)
    which = {"statement": proposed["statement"]["id"]}
    (line,) = await lines(hotel, agreement)
    given = {"agreement": agreement, "line": line["id"], "reason": "too much"}
    dispute = (await hotel.done("disputePartnerLine", **given))["dispute"]
    await hotel.done("agreeStatement", **which)
    assert (await stated(air, agreement))["state"] == "DISPUTED"

    await hotel.done("decidePartnerDispute", agreement=agreement, dispute=dispute, accept=False)

    done = await stated(air, agreement)
    assert (done["state"], done["net"]) == ("AGREED", "-0.80")


async def test_an_accepted_dispute_before_payment_is_not_paid(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300", "3000")
    await over(alliance, 2)
    (line, _) = await lines(air, agreement)
    given = {"agreement": agreement, "line": line["id"], "reason": "too much"}
    dispute = (await air.done("disputePartnerLine", **given))["dispute"]
    proposed = (await air.done("proposeStatement", agreement=agreement, period=JANUARY))[
        "statement"
    ]
    assert (proposed["state"], proposed["net"]) == ("DISPUTED", "-8.00")
    await hotel.done("decidePartnerDispute", agreement=agreement, dispute=dispute, accept=True)
    done = await stated(air, agreement)
    assert (done["state"], done["net"]) == ("PROPOSED", "-8.00")

    which = {"statement": proposed["id"]}
    await hotel.done("agreeStatement", **which)
    await hotel.done("settleStatement", **which, paymentRef="IBAN 3")
    assert (await stated(hotel, agreement, FEBRUARY))["net"] == "0.00"


async def test_a_later_statement_carries_what_was_not_paid(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300")
    await over(alliance, 2)
    first = await air.done("proposeStatement", agreement=agreement, period=JANUARY)
    await hotel.done("agreeStatement", statement=first["statement"]["id"])
    await exchanged(alliance, "3000")
    await over(alliance, 3)
    second = (await hotel.done("proposeStatement", agreement=agreement, period=FEBRUARY))[
        "statement"
    ]
    assert money(second) == ["0.80", "8.00", "0.00", "0.00", "0.00", "8.80"]
    await air.done("agreeStatement", statement=second["id"])
    paid = {"paymentRef": "both"}
    code = await hotel.refused("settleStatement", statement=first["statement"]["id"], **paid)
    assert code == "STATEMENT_STATE"
    await hotel.done("settleStatement", statement=second["id"], **paid)

    listed = await air.brand.admin.run(documents.STATEMENTS, agreement=agreement)
    assert [one["state"] for one in listed["partnerStatements"]] == ["SETTLED", "SETTLED"]
    assert (await stated(air, agreement, "2026-03"))["net"] == "0.00"


async def test_both_ways_are_netted(make_alliance: Any) -> None:
    terms = {
        "currency": "USD",
        "give": {"burn": "1", "credit": "1", "price": "0.0100", "charge": "0.05"},
        "take": {"burn": "1", "credit": "1", "price": "0.0200"},
    }
    alliance = await make_alliance(terms)
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "1000")
    await alliance.exchange(hotel, "bob", "400")
    done = await stated(air, agreement)
    # 1,000 at 0.01 and a charge are owed, 400 at 0.02 are due.
    assert money(done) == ["0.00", "-2.00", "-0.05", "0.00", "0.00", "-2.05"]
    assert money(await stated(hotel, agreement))[-1] == "2.05"


async def test_what_was_undone_is_not_owed(alliance: Alliance) -> None:
    air, agreement = alliance.air, alliance.agreement
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    undo = {"exchange": done["exchange"]["id"]}
    await air.done("reverseExchange", air.brand.service, **undo)
    moved, undone = await lines(air, agreement)
    assert (undone["kind"], undone["of"], undone["amount"]) == ("REVERSAL", moved["id"], "0.80")
    assert (await stated(air, agreement))["net"] == "0.00"


async def test_a_month_as_files(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await exchanged(alliance, "300", "3000")
    files = {}
    for shop in (air, hotel):
        for kind in ("CSV", "JSON"):
            data = await shop.brand.admin.run(
                documents.FILE, agreement=agreement, period=JANUARY, format=kind
            )
            files[shop.brand.slug, kind] = data["partnerStatementFile"]

    rows = list(csv.reader(io.StringIO(files[air.brand.slug, "CSV"])))
    assert dict(zip(rows[0], rows[1], strict=True))["net"] == "-8.80"
    named = [dict(zip(rows[3], row, strict=True)) for row in rows[4:]]
    assert [(one["points_out"], one["amount"]) for one in named] == [
        ("300", "-0.80"), ("3000", "-8.00"),
    ]  # fmt: skip
    plain = json.loads(files[hotel.brand.slug, "JSON"])
    assert (plain["net"], plain["partner"]) == ("8.80", air.brand.slug)
    assert [one["points_in"] for one in plain["lines"]] == ["100", "1000"]
    for (slug, _), text in files.items():
        other = hotel if slug == air.brand.slug else air
        assert str(other.brand.tenant_id) not in text


async def test_lines_come_in_pages(alliance: Alliance) -> None:
    await exchanged(alliance, "300", "600", "900")
    given = {"agreement": alliance.agreement, "first": 2}
    page = (await alliance.air.brand.admin.run(documents.LINES_OF, **given))["partnerLines"]
    assert page["pageInfo"]["hasNextPage"] is True
    given["after"] = page["pageInfo"]["endCursor"]
    rest = await lines(alliance.air, alliance.agreement, first=2, after=given["after"])
    assert [one["pointsOut"] for one in rest] == ["900"]


async def test_the_month_is_over_some_minutes_later(alliance: Alliance) -> None:
    """What was under way at midnight is written by then."""
    air, month = alliance.air, {"agreement": alliance.agreement, "period": JANUARY}
    air.brand.clock.at = datetime(2026, 2, 1, 0, 4, 59, tzinfo=UTC)
    assert await air.refused("proposeStatement", **month) == "STATEMENT_STATE"
    air.brand.clock.advance(timedelta(seconds=1))
    await air.done("proposeStatement", **month)
    later = {"agreement": alliance.agreement, "period": "2026-13"}
    assert await air.refused("proposeStatement", **later) == "BAD_USER_INPUT"
