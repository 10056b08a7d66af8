"""Limits on the expanded document, before anything runs."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.documents import Documents
from loyalty_graphql.kept import KEPT_MAX
from loyalty_graphql.limits import LimitExceeded, Limits, Shape, Shaper
from loyalty_graphql.limits.cost import OBJECT
from loyalty_graphql.unacceptable import Unacceptable

FOURTEEN = "{ member { ...f0 } } " + " ".join(
    [f"fragment f{n} on Person {{ ...f{n + 1} ...f{n + 1} }}" for n in range(14)]
    + ["fragment f14 on Person { name }"]
)
NESTED = "friend { " * 58 + "name" + " }" * 58
CHAINED = "{ member { ...f0 } } " + " ".join(
    [f"fragment f{n} on Person {{ friend {{ ...f{n + 1} }} }}" for n in range(58)]
    + ["fragment f58 on Person { name }"]
)
INLINE = "{ member { " + "... on Person { friend { " * 58 + "name" + " } }" * 58 + " } }"
ATTACKS = {
    "fourteen fragments spread twice": (FOURTEEN, "fields"),
    "2,000 aliases": ("{" + " ".join(f"a{n}: ping" for n in range(2_000)) + "}", "tokens"),
    "100 aliases of a mutation": (
        "mutation {" + " ".join(f'a{n}: redeem(amount: "1")' for n in range(100)) + "}",
        "aliases",
    ),
    "5,000 times the same field": ("{" + " ping" * 5_000 + "}", "tokens"),
    "900 times the same field": ("{ member {" + " name" * 900 + "} }", "repeats"),
    "the same field in inline fragments": ("{ member {" + " ... { name }" * 200 + "} }", "repeats"),
    "2,000 directives": ("{ ping " + "@skip(if: false) " * 2_000 + "}", "tokens"),
    "30 directives": (
        "{ member {" + "name @skip(if: false) " * 20 + "id @skip(if: false)} }",
        "directives",
    ),
    "depth by nesting": (f"{{ member {{ {NESTED} }} }}", "depth"),
    "depth by fragments": (CHAINED, "depth"),
    "depth by inline fragments": (INLINE, "depth"),
    "500 levels": ("{ member" + " { friend" * 490 + "}" * 490 + "}", "depth"),
    "deep values": ("{ member(name: " + "[" * 900 + " ) }", "depth"),
    "comments": ("{ ping }" + "\n#" * 5_000, "tokens"),
    "length": ("{ ping }" + " " * 100_000, "document_length"),
    "11 query fields": (
        "{" + " ".join("... { ping } ...F" for n in range(11)) + "} fragment F on Query { ping }",
        "query_fields",
    ),
    "6 mutations": ("mutation {" + " ".join(["redeem(amount: 1)"] * 6) + "}", "mutation_fields"),
    "2 that move value": (
        'mutation { redeem(amount: "1") ...F } fragment F on Mutation { b: redeem(amount: "2") }',
        "money_fields",
    ),
    "a long literal": ('{ member(name: "' + "x" * 5_000 + '") { name } }', "text"),
    "a long list": ("{ several(names: [" + '"a" ' * 101 + "]) { name } }", "list_argument"),
    "nul in a literal": ('{ member(name: "\\u0000") { name } }', "characters"),
}


@pytest.fixture
def documents(schema: ComposedSchema) -> Documents:
    return Documents(schema)


def refusal(documents: Documents, text: str, **variables: Any) -> Any:
    def read_and_check() -> None:
        documents.check(documents.read(text).operation(None), variables)

    with pytest.raises(Unacceptable) as caught:
        read_and_check()
    (complaint,) = caught.value.complaints
    return complaint


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_is_refused_by_the_name_of_the_limit(edge: Any, attack: str) -> None:
    text, limit = ATTACKS[attack]
    (error,) = (await edge.ask(text))["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": limit}
    assert edge.ran == []


def shape(schema: ComposedSchema, text: str, limits: Limits | None = None) -> Shape:
    document = parse(text)
    (operation,) = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return Shaper(schema.core, document, limits or Limits()).operation(operation)


def test_a_fragment_is_walked_once_however_often_it_is_spread(schema: ComposedSchema) -> None:
    endless = Limits(fields=10**9)
    # 2 fields, 1 spread, 14 fragments of 2 spreads and 1 of a field: not 2 to the power of 14.
    assert shape(schema, FOURTEEN, endless).visited == 1 + 1 + 14 * 2 + 1
    assert shape(schema, FOURTEEN, endless).cost.of({}) == OBJECT + 2**14


def test_the_walk_stops_where_the_limit_is_passed(schema: ComposedSchema) -> None:
    document = parse("{ member { " + " ".join(f"n{n}: name" for n in range(100)) + " } }")
    (operation,) = document.definitions
    shaper = Shaper(schema.core, document, Limits())
    assert isinstance(operation, OperationDefinitionNode)
    with pytest.raises(LimitExceeded):
        shaper.operation(operation)
    assert shaper.visited == 1 + 16


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("{ ping }", 0.1),
        ("{ member { name } }", 1.1),
        ("{ member { balances { unit } } }", 1 + 5 * 1.1),
        ("{ members { edges { node { name } } } }", 1 + 20 * (1 + 1.1)),
        ("{ members(first: 3) { edges { node { name } } } }", 1 + 3 * (1 + 1.1)),
        (
            "{ members(last: 3) { edges { node { name } } pageInfo { endCursor } } }",
            1 + 3 * 2.1 + 1.1,
        ),
        (
            "{ members(first: 2) { edges { node { balances { unit } } } } }",
            1 + 2 * (1 + 1 + 5 * 1.1),
        ),
        (
            "{ members(first: 2) { ...F } } fragment F on PersonConnection { edges { cursor } }",
            1 + 2 * 1.1,
        ),
        ('{ several(names: ["a", "b"]) { name } }', 2 * 1.1),
        ("{ member { name @skip(if: true) friend @include(if: false) { name } } }", 1 + 0.1 + 1.1),
        ("{ members(first: 0) { edges { cursor } } }", 1),
    ],
)
def test_cost_is_counted_in_objects(schema: ComposedSchema, text: str, objects: float) -> None:
    assert shape(schema, text).cost.of({}) == round(objects * OBJECT)


def test_cost_follows_the_variables_of_each_request(schema: ComposedSchema) -> None:
    cost = shape(
        schema,
        "query ($n: Int = 7, $names: [String!]!) { members(first: $n) { edges { cursor } }"
        " several(names: $names) { name } }",
    ).cost
    assert cost.of({"n": 3, "names": ["a"]}) == OBJECT + 3 * 11 + 11
    assert cost.of({"names": ["a", "b", "c"]}) == OBJECT + 7 * 11 + 3 * 11
    assert cost.of({"n": None, "names": []}) == OBJECT + 20 * 11


EXPENSIVE = """query ($n: Int) {
  members(first: $n) { edges { node { friend {
    balances { unit } friend { balances { unit available } } } } } }
}"""


def test_what_may_cost_too_much_is_refused_and_says_how_much(documents: Documents) -> None:
    documents.check(documents.read(EXPENSIVE).operation(None), {"n": 50})
    error = refusal(documents, EXPENSIVE, n=100)
    assert error["extensions"]["limit"] == "cost"
    assert error["message"].startswith("this may cost 1,551 objects of at most 1,500")


@pytest.mark.parametrize("size", [101, 1_000_000, -1])
def test_a_page_out_of_range_is_refused(documents: Documents, size: int) -> None:
    literal = f"{{ members(first: {size}) {{ edges {{ cursor }} }} }}"
    assert refusal(documents, literal)["extensions"]["limit"] == "page"
    assert refusal(documents, EXPENSIVE, n=size)["extensions"]["limit"] == "page"


RECORD = "mutation ($i: PurchaseInput!) { record(input: $i) { total } }"


@pytest.mark.parametrize(
    ("value", "limit", "path"),
    [
        ({"externalId": "x" * 4_097, "lines": []}, "text", "i: externalId: "),
        ({"externalId": "1", "lines": [{"amount": "1"}] * 101}, "list_argument", "i: lines: "),
        (
            {"externalId": "1", "lines": [{"amount": "1", "sku": "x" * 5_000}]},
            "text",
            "i: lines: sku: ",
        ),
    ],
)
def test_a_variable_that_is_too_large_is_named(
    documents: Documents, value: Any, limit: str, path: str
) -> None:
    error = refusal(documents, RECORD, i=value)
    assert error["extensions"]["limit"] == limit
    assert error["message"].startswith(path)


def test_a_variable_as_large_as_allowed_passes(documents: Documents) -> None:
    value = {"externalId": "x" * 4_096, "lines": [{"amount": "1"}] * 100}
    documents.check(documents.read(RECORD).operation(None), {"i": value})


@pytest.mark.parametrize("value", [1, "x", None, {"lines": "x"}, {"lines": {"amount": 1}}, []])
def test_a_variable_of_another_shape_is_left_to_the_type_check(
    documents: Documents, value: Any
) -> None:
    documents.check(documents.read(RECORD).operation(None), {"i": value})


def test_the_introspection_of_tools_passes(documents: Documents) -> None:
    text = get_introspection_query(
        directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    documents.check(documents.read(text).operation(None), {})


def test_introspection_is_not_repeated_and_not_nested_without_end(documents: Documents) -> None:
    thrice = "{" + " ".join(f"s{n}: __schema {{ types {{ name }} }}" for n in range(3)) + "}"
    assert refusal(documents, thrice)["extensions"]["limit"] == "cost"
    loop = "{ __schema { types { " + "fields { type { " * 8 + "name" + "} }" * 8 + "} } }"
    with pytest.raises(Unacceptable):
        documents.read(loop)


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on Query { ...F }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ping ...F }",
        "{ ...Missing }",
        "{ missing(first: 5) { edges { node } } }",
        "{ ... on Missing { a } }",
    ],
)
def test_what_does_not_exist_is_left_to_validation(documents: Documents, text: str) -> None:
    with pytest.raises(Unacceptable) as caught:
        documents.read(text)
    codes = {c["extensions"]["code"] for c in caught.value.complaints}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}


def test_a_document_is_read_once(documents: Documents) -> None:
    assert documents.read("{ ping }") is documents.read("{ ping }")


def test_a_tenant_that_sends_ever_new_documents_drives_out_its_own(documents: Documents) -> None:
    shared, own = documents.read("{ ping }", "two"), documents.read("{ a: ping }", "one")
    for number in range(2 * KEPT_MAX):
        documents.read(f"query Q{number} {{ ping }}", "one")
    assert documents.read("{ ping }", "one") is shared
    assert documents.read("{ a: ping }", "one") is not own
    assert len(documents._kept) == KEPT_MAX
