"""Codes: how they look, who may have which, and what it costs to guess them."""

import asyncio
import re
from datetime import timedelta
from typing import Any

from loyalty_referrals.code import ALPHABET, code_of, read, shown, wished
from tests.plugins.referrals.circle import FRIENDS

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


def test_twelve_characters_carry_sixty_bits() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("ILOU")
    assert code_of(0) == "0" * 12
    assert code_of(2**60 - 1) == "Z" * 12
    assert code_of(0b00001_00010 << 50) == "12" + "0" * 10


def test_a_code_is_read_as_it_is_meant() -> None:
    code = code_of(0x123456789ABCDEF)
    assert shown(code).count("-") == 2
    for typed in (code, shown(code), shown(code).lower(), f"  {code[:6]} {code[6:]} "):
        assert read(typed) == code
    assert read("oO0-iIlL1") == "00011111"
    for nothing in ("", "   ", "a@b", "ä" * 12, "x" * 65, "1" * 25):
        assert read(nothing) == ""


def test_a_wish_is_printed_as_it_was_written() -> None:
    for typed in ("ada rules", " Ada-Rules-", "ada _ rules"):
        assert wished(typed) == "ADA-RULES"
        assert read(wished(typed)) == read(typed) == "ADARU1ES"


async def test_every_member_has_a_code_and_a_link_of_their_own(circle: Any) -> None:
    story = await circle(codes={"link": "https://shop.example/r/{code}"})
    codes = [await story.enrolls(f"m{number}") for number in range(20)]
    assert len(set(codes)) == 20
    assert all(CODE.fullmatch(code) for code in codes)
    (mine,) = (await story.of("m0"))["referralCodes"]
    assert mine["link"] == f"https://shop.example/r/{codes[0]}"
    assert (mine["shares"], mine["sharedAt"], mine["vanity"]) == (0, None, False)


async def test_handing_on_a_code_is_counted_and_makes_one_for_members_of_before(
    make_brand: Any, work: Any
) -> None:
    from tests.plugins.referrals.circle import Circle

    brand = await make_brand(config=None)
    await brand.enroll("ada")
    await brand.run_program("friends", FRIENDS, kind="referrals")
    story = Circle(brand, work)
    await story.works()
    assert (await story.of("ada"))["referralCodes"] == []

    first = await story.shares("ada")
    key = story.brand.key()
    second = [await story.shares("ada", idempotencyKey=key) for _ in range(2)]
    assert [one["replayed"] for one in second] == [False, True]
    assert first["codes"][0]["code"] == second[1]["codes"][0]["code"]
    assert second[1]["codes"][0]["shares"] == 2


async def test_a_wish_is_granted_to_one_member_as_the_program_says(circle: Any) -> None:
    story = await circle()
    for name in ("ada", "bob"):
        await story.enrolls(name)
    done = await story.shares("ada", vanity="Ada-Rules")
    first = done["codes"][0]
    assert (first["code"], first["vanity"]) == ("ADA-RULES", True)
    assert len(done["codes"]) == 2

    taken = await story.shares("bob", vanity="ada rules")
    assert [(one["code"], one["field"]) for one in taken["userErrors"]] == [
        ("ALREADY_EXISTS", "vanity")
    ]
    for wish in ("abc", "x" * 21, "12345", "a@b.c"):
        bad = await story.shares("bob", vanity=wish)
        assert [one["field"] for one in bad["userErrors"]] == ["vanity"], wish
    mine = await story.shares("bob", by=story.brand.member("bob"), vanity="bobby")
    assert [one["field"] for one in mine["userErrors"]] == ["vanity"]

    await story.enrolls("carl", referral_code="adarules")
    assert (await story.case("carl"))["referrer"]["externalId"] == "ada"


async def test_who_wishes_on_is_told_nothing_of_which_codes_there_are(circle: Any) -> None:
    story = await circle(codes={"vanity": "members", "wishes": 2})
    for name in ("ada", "bob"):
        await story.enrolls(name)
    await story.shares("ada", vanity="taken")
    bob = story.brand.member("bob")
    wishes = ("taken", "bobby-1", "bobby-1", "bobby-2", "bobby-3", "taken", "BOBBY 2")
    told = [(await story.shares("bob", by=bob, vanity=wish))["userErrors"] for wish in wishes]
    assert [[one["code"] for one in errors] for errors in told] == [
        ["ALREADY_EXISTS"], [], [], [], ["LIMIT_REACHED"], ["LIMIT_REACHED"], [],
    ]  # fmt: skip


async def test_one_text_is_a_code_of_one_program_only(circle: Any) -> None:
    story = await circle()
    await story.brand.run_program("pals", FRIENDS, kind="referrals")
    await story.enrolls("ada")
    assert (await story.shares("ada", vanity="ada-runs"))["userErrors"] == []
    again = await story.shares("ada", vanity="ada-runs", program="pals")
    assert [(one["code"], one["field"]) for one in again["userErrors"]] == [
        ("ALREADY_EXISTS", "vanity")
    ]


async def test_of_many_who_wish_for_the_same_at_once_one_has_it(circle: Any) -> None:
    story = await circle()
    names = [f"m{number}" for number in range(8)]
    for name in names:
        await story.enrolls(name)
    done = await asyncio.gather(*(story.shares(name, vanity="same-one") for name in names))
    assert sorted(len(one["userErrors"]) for one in done) == [0] + [1] * 7


async def test_whatever_a_code_is_instead_the_answer_is_the_same(circle: Any) -> None:
    """One that nobody has, one of somebody who left, of another program's member, one's own."""
    story, other = await circle(), await circle()
    theirs = await other.enrolls("zoe")
    gone = await story.enrolls("gone")
    await story.closes("gone")
    answers = []
    for number, code in enumerate(["0000-0000-0000", gone, theirs, "?!", "own"]):
        own = await story.enrolls(f"m{number}")
        answer = await story.claims(f"m{number}", own if code == "own" else code)
        assert answer.pop("replayed") is False
        answers.append(answer)
    assert answers[0]["userErrors"][0]["code"] == "NOT_FOUND"
    assert all(answer == answers[0] for answer in answers)


async def test_a_member_who_guesses_is_declined_whatever_the_code(circle: Any) -> None:
    """20 wrong ones in an hour; then the right one is declined the same way, until the next."""
    story = await circle()
    ada = await story.enrolls("ada")
    await story.enrolls("bob")
    for number in range(20):
        answer = await story.claims("bob", f"GUESS-{number:04}", by=story.brand.member("bob"))
        assert [one["code"] for one in answer["userErrors"]] == ["NOT_FOUND"]
    wrong, right = await story.claims("bob", "GUESS-9999"), await story.claims("bob", ada)
    assert wrong == right
    assert [(one["code"], one["field"]) for one in right["userErrors"]] == [
        ("LIMIT_REACHED", "code")
    ]

    await story.enrolls("carl")
    assert (await story.claims("carl", ada))["userErrors"] == []
    await story.passes(hours=1)
    assert (await story.claims("bob", ada))["userErrors"] == []


async def test_the_budget_of_a_client_and_of_the_tenant(circle: Any) -> None:
    guessing = {"per_member": 2, "per_client": 4, "per_tenant": 6}
    story = await circle(guessing=guessing)
    ada = await story.enrolls("ada")
    names = [f"m{number}" for number in range(10)]
    for name in names:
        await story.enrolls(name)
    admin, told = story.brand.admin, []
    for name in names[:5]:
        told.append((await story.claims(name, "NO-SUCH-CODE"))["userErrors"][0]["code"])
    for name in names[5:9]:
        told.append((await story.claims(name, "NO-SUCH-CODE", by=admin))["userErrors"][0]["code"])
    assert told == ["NOT_FOUND"] * 4 + ["LIMIT_REACHED"] + ["NOT_FOUND"] * 2 + ["LIMIT_REACHED"] * 2
    assert (await story.claims(names[9], ada))["userErrors"][0]["code"] == "LIMIT_REACHED"


async def test_one_member_who_guesses_many_at_once_has_no_more_than_the_budget(
    circle: Any,
) -> None:
    story = await circle(guessing={"per_member": 5})
    await story.enrolls("bob")
    answers = await asyncio.gather(
        *(story.claims("bob", f"GUESS-{number:04}") for number in range(40))
    )
    codes = [one["userErrors"][0]["code"] for one in answers]
    assert (codes.count("NOT_FOUND"), codes.count("LIMIT_REACHED")) == (5, 35)


async def test_codes_with_enrolments_have_a_budget_too(circle: Any) -> None:
    story = await circle(guessing={"per_tenant": 3})
    ada = await story.enrolls("ada")
    for number in range(3):
        await story.enrolls(f"m{number}", referral_code="WRONG-CODE")
    await story.enrolls("bob", referral_code=ada)
    assert (await story.of("bob"))["referredBy"] == []
    await story.passes(hours=1)
    await story.enrolls("carl", referral_code=ada)
    assert len((await story.of("carl"))["referredBy"]) == 1


async def test_a_code_of_one_program_is_none_that_is_none_to_another(circle: Any) -> None:
    """Both look at the same attribute, and have one budget."""
    story = await circle(guessing={"per_tenant": 2})
    more = FRIENDS | {"guessing": {"per_tenant": 2}}
    await story.brand.run_program("pals", more, kind="referrals")
    ada = await story.enrolls("ada")
    for name in "bcde":
        await story.enrolls(name, referral_code=ada)
        assert [one["program"] for one in (await story.of(name))["referredBy"]] == ["friends"]


async def test_the_hour_of_a_budget_is_when_codes_are_named_not_when_orders_were(
    circle: Any,
) -> None:
    story = await circle(guessing={"per_tenant": 3})
    ada, names = await story.enrolls("ada"), [f"m{number}" for number in range(4)]
    for name in names:
        await story.enrolls(name)
    await story.passes(days=2)
    codes = dict(zip(names, ["WRONG-CODE"] * 3 + [ada], strict=True))
    for hours, (name, code) in enumerate(codes.items()):
        at = (story.brand.clock.now() - timedelta(hours=hours)).isoformat()
        await story.buys(name, "30.00", occurredAt=at, attributes={"referral_code": code})
    assert (await story.of(names[3]))["referredBy"] == []


async def test_a_claim_that_is_sent_again_has_its_first_answer(circle: Any) -> None:
    story = await circle()
    ada = await story.enrolls("ada")
    await story.enrolls("bob")
    wrong = await story.claims("bob", "WRONG-CODE", idempotencyKey="claim-wrong")
    await story.claims("bob", ada)
    again = await story.claims("bob", "WRONG-CODE", idempotencyKey="claim-wrong")
    assert again == wrong | {"replayed": True}
