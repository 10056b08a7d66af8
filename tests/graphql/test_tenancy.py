"""Another tenant's things: every operation of the schema is tried with its ids and names, and
answers as it does for what does not exist; nothing of the other tenant changes."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id
from tests.graphql.documents import (
    MEMBER,
    NODE,
    PURCHASE_OF,
    RECORD,
    RECORD_MANY,
    REDEEM,
    RETURNS,
)
from tests.graphql.furnished import config, furnished, kind_of
from tests.graphql.operations import Operation, operations
from tests.graphql.watcher import watching

# The other tenant calls everything by one word, so that whatever a text means, it may be theirs.
WORD, GHOST = "foreign0", "ghosts00"
# Answers with what is new each time it is called.
SECRETS = {"rotateTenantSecret", "createApiKey", "createTenant", "viewer", "eraseMember"}
# Once it stands, a change of it waits for a second person: each time it is answered otherwise.
STANDING = {"setApprovalPolicy"}
# Answers with an id of its own, whoever the members are: each has an outcome by itself.
PLACED = {"adjustBalances"}
# What is new in every answer: ids and cursors.
NEW = re.compile(r"[\w-]{40,}")


@pytest.fixture
async def theirs(make_brand: Callable[..., Any]) -> Any:
    """Another tenant that has one of everything, by the word."""
    return await furnished(make_brand, WORD)


async def test_an_id_of_the_other_tenant_is_no_id(brand: Any, theirs: Any, rows: Any) -> None:
    """Each place of the schema that takes an id or a cursor, with each of theirs."""
    await brand.enroll("ada")
    before, tried = await rows.of(theirs.brand.tenant_id), 0

    for operation, path in _places(brand, "ID"):
        for ident in {kind_of(ident): ident for ident in theirs.ids}.values():
            given = await _answer(brand, operation, path, ident)
            ghost = await _answer(brand, operation, path, _ghost_of(ident))
            assert given == ghost, (operation.name, path)
            tried += 1
    for operation, path in _places(brand, "String", names=("after", "before")):
        for cursor in theirs.cursors[:2]:
            answer = await _answer(brand, operation, path, cursor)
            code = "FORBIDDEN" if operation.name == "tenants" else "BAD_USER_INPUT"
            assert f'"code":"{code}"' in answer, (operation.name, path)
            assert answer == await _answer(brand, operation, path, cursor[::-1])
            tried += 1

    assert tried > 100
    assert await rows.of(theirs.brand.tenant_id) == before


async def test_a_name_of_the_other_tenant_is_no_name(brand: Any, theirs: Any, rows: Any) -> None:
    """Each operation with their word wherever a text can be, and by each way to name members."""
    await brand.enroll("ada")
    before, ways = await rows.of(theirs.brand.tenant_id), ("externalId", "identifier")

    for operation in operations(brand.server.services.schema.core):
        if operation.kind == "subscription" or operation.name in SECRETS | STANDING:
            continue
        for way in ways:
            answers = [
                (await _filled(brand, operation, word, way)).replace(word, "WORD")
                for word in (WORD, GHOST)
            ]
            assert answers[0] == answers[1], operation.name

    assert await rows.of(theirs.brand.tenant_id) == before


async def test_the_same_names_in_two_tenants_are_two_things(
    brand: Any, theirs: Any, rows: Any
) -> None:
    """A tenant may call its things as the other one does, and each has its own."""
    before = await rows.of(theirs.brand.tenant_id)
    await brand.make_unit(WORD)
    await brand.run_program(WORD, config(WORD))

    await brand.enroll(WORD, [WORD])
    given = brand.purchase(WORD, "7.00", source=WORD, externalId=WORD)
    single = (await brand.service.run(RECORD, input=given))["recordPurchase"]
    batch = (await brand.service.run(RECORD_MANY, items=[given]))["recordPurchases"]
    spend = {
        "member": {"identifier": WORD}, "amount": "5", "unit": WORD, "program": WORD,
        "idempotencyKey": WORD, "capture": True,
    }  # fmt: skip
    spent = (await brand.service.run(REDEEM, input=spend))["redeemPoints"]

    assert (single["replayed"], single["purchase"]["total"]) == (False, "7.00")
    assert batch["outcomes"][0]["replayed"] is True
    assert (spent["replayed"], spent["redemption"]["captured"]) == (False, "5")
    found = (await theirs.brand.service.run(PURCHASE_OF, source=WORD, externalId=WORD))["purchase"]
    assert found["total"] == "90.00"
    assert await rows.of(theirs.brand.tenant_id) == before


async def test_an_operator_of_one_tenant_does_not_reach_the_other(
    brand: Any, theirs: Any, operator: Callable[..., Any]
) -> None:
    ours = operator(brand.slug)

    assert await ours.run(MEMBER, by={"externalId": WORD}) == {"member": None}
    for ident in theirs.ids:
        assert await ours.run(NODE, id=ident) == {"node": None}
    assert (await operator(theirs.brand.slug).run(MEMBER, by={"externalId": WORD}))["member"]


async def test_nobody_hears_of_the_other_tenants_members(brand: Any, theirs: Any) -> None:
    watch = "subscription($m: MemberRef!) { balanceChanged(member: $m) { cause } }"
    member = theirs.id_of("Member")

    async with watching(brand.admin) as watcher:
        for name in ({"externalId": WORD}, {"identifier": WORD}, {"id": member}):
            await watcher.ask("1", watch, {"m": name})
            heard = await watcher.hear()
            assert heard["payload"][0]["extensions"]["code"] == "MEMBER_NOT_FOUND"


async def test_pages_hold_the_tenants_own_only(brand: Any, theirs: Any) -> None:
    await brand.enroll("ada")
    listed = "{ members { edges { node { externalId } } } programs { slug } units { code } }"

    data = await brand.admin.run(listed)

    assert [edge["node"]["externalId"] for edge in data["members"]["edges"]] == ["ada"]
    assert [program["slug"] for program in data["programs"]] == ["points"]
    assert [unit["code"] for unit in data["units"]] == ["points"]
    assert (await brand.service.run(RETURNS))["returns"]["edges"] == []


def _places(
    brand: Any, scalar: str, names: tuple[str, ...] = ()
) -> Iterator[tuple[Operation, str]]:
    """Every place of an operation that takes this scalar (under one of these names)."""
    for operation in operations(brand.server.services.schema.core):
        for path, kind in operation.leaves():
            fits = kind == scalar and (not names or path.rsplit(".")[-1] in names)
            if fits and operation.kind != "subscription":
                yield operation, path


async def _answer(brand: Any, operation: Operation, path: str, value: str) -> str:
    """What an admin of ours is answered, with their own word for the value left out."""

    def fill(at: str, kind: str) -> Any:
        return value if at == path else _usual(at)

    document, variables = operation.request(fill, deep=True)
    text = str((await brand.admin.post(document, variables)).text).replace(value, "VALUE")
    return NEW.sub("NEW", text) if operation.name in PLACED else text


async def _filled(brand: Any, operation: Operation, word: str, way: str) -> str:
    def fill(at: str, kind: str) -> Any:
        if kind != "String" or at.endswith(("after", "before")):
            return "1" if kind == "Decimal" else None
        if ".member." in f".{at}." or at.startswith("by."):
            return word if at.endswith(way) else None
        return {"currency": "USD", "input.currency": "USD"}.get(at, word)

    document, variables = operation.request(fill, deep=True)
    return NEW.sub("NEW", (await brand.admin.post(document, variables)).text)


def _usual(path: str) -> Any:
    """Values that are right, so that the one in question is what is looked at."""
    last = path.rsplit(".")[-1]
    return {
        "externalId": None, "currency": "USD", "unit": "points", "program": "points",
        "idempotencyKey": str(uuid4()), "reasonCode": "GOODWILL",
    }.get(last)  # fmt: skip


def _ghost_of(ident: str) -> str:
    return node_id(kind_of(ident), new_id())
