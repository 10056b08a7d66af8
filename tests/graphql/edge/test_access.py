"""Who may call what: a matrix, and that nothing ran where it was refused."""

from typing import Any

import pytest
import strawberry

from loyalty.errors import Code, Refused
from loyalty_graphql.access import NOBODY, allow, declared, public
from loyalty_graphql.compose import Core, compose
from loyalty_tenants.principal import Principal, Role

MEMBER = "{ member { name } }"
NOTE = "{ member { name note } }"


def code(answer: Any) -> str | None:
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None


@pytest.mark.parametrize(
    ("caller", "query", "expected"),
    [
        (None, "{ ping }", None),
        ("service", "{ ping }", None),
        (None, MEMBER, "UNAUTHENTICATED"),
        ("service", MEMBER, None),
        ("admin", MEMBER, None),
        ("member", MEMBER, None),
        ("narrow", MEMBER, "FORBIDDEN"),
        ("admin", NOTE, None),
        ("service", NOTE, "FORBIDDEN"),
        ("member", NOTE, "FORBIDDEN"),
    ],
)
async def test_the_matrix(edge: Any, caller: str | None, query: str, expected: str | None) -> None:
    assert code(await edge.ask(query, caller=caller)) == expected


@pytest.mark.parametrize("caller", [None, "member", "admin", "narrow"])
async def test_a_refused_mutation_did_not_run(edge: Any, caller: str | None) -> None:
    answer = await edge.ask('mutation { redeem(amount: "5") }', caller=caller)
    assert code(answer) == ("UNAUTHENTICATED" if caller is None else "FORBIDDEN")
    assert edge.ran == []


async def test_a_refusal_says_what_is_needed(edge: Any) -> None:
    narrow = await edge.ask(MEMBER, caller="narrow")
    assert narrow["errors"][0]["message"] == "needs the scope members:read"
    assert narrow["data"] == {"member": None}
    admin = await edge.ask('mutation { redeem(amount: "5") }', caller="admin")
    assert admin["errors"][0]["message"] == "is not open to the role ADMIN"


async def test_a_narrowed_field_is_refused_by_itself_and_loses_only_its_object(edge: Any) -> None:
    answer = await edge.ask("{ ping member { name note } }", caller="service")
    assert answer["data"] == {"ping": "pong", "member": None}
    assert [error["path"] for error in answer["errors"]] == [["member", "note"]]


async def test_what_nobody_declared_is_closed_to_everyone() -> None:
    @strawberry.type
    class Loose:
        left: int = 1

    @strawberry.type
    class LooseQuery:
        @strawberry.field
        def undeclared(self) -> int:
            return 1

        @strawberry.field
        @public
        def loose(self) -> Loose:
            return Loose()

    class Context:
        request_id = "r"
        principal = Principal(
            role=Role.ADMIN, tenant_id=None, subject="a", scopes=frozenset(), client="a"
        )

    schema = compose(Core(query=[LooseQuery]))
    for query in ("{ undeclared }", "{ loose { left } }"):
        result = await schema.execute(query, context_value=Context())
        causes = [error.original_error for error in result.errors or []]
        assert [c.code for c in causes if isinstance(c, Refused)] == [Code.FORBIDDEN]


def test_a_rule_needs_a_role() -> None:
    with pytest.raises(TypeError, match="at least one role"):
        allow()


def test_decorators_above_strawberrys_own_are_refused() -> None:
    with pytest.raises(TypeError, match=r"under @strawberry\.field"):

        @strawberry.type
        class Upside:
            @public
            @strawberry.field
            def down(self) -> int:
                return 1


def test_several_rules_stand_in_the_order_they_are_written() -> None:
    @allow(Role.ADMIN, scope="members:read")
    @allow(Role.MEMBER)
    def resolver() -> int:
        return 1

    assert [clause.scope for clause in declared(resolver).clauses] == ["members:read", None]
    assert declared(lambda: 1) == NOBODY
