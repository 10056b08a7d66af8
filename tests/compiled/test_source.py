"""Generated code holds names of the schema's own code and nothing that a client wrote."""

import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from random import Random

import pytest
from graphql import parse, validate

from compiled_graphql import Compiled, Engine
from loyalty_graphql.compose import ComposedSchema
from tests.compiled.agreement import RULES
from tests.compiled.documents import Maker
from tests.compiled.resolvers import DEFINITION

HOSTILE = """
query Evil__import__($evilVariable: String!, $evilFlag: Boolean!) {
  evilAlias: member(by: {externalId: $evilVariable}) {
    evilInner: externalId @skip(if: $evilFlag)
    ...EvilFragment
    evilBalance: balance(unit: "evil\\"); __import__('os').system('x') #") { unit }
  }
}
fragment EvilFragment on Member { evilId: id evilStatement: statement(unit: "evil\\n\\nevil") {
  edges { node { kind } } } }
"""
GENERATED = re.compile(r"(select|wait|take|item|build|k|v|a)\d+c?")
FIXED = {
    "R", "s", "p", "w", "o", "v", "x", "n", "e", "V", "C", "Coroutine", "Exception", "MISSING",
    "Unusual", "info", "plain", "settle", "get", "len", "dict", "list", "str", "int", "float",
    "bool", "values", "context", "take", "rare", "fail", "late", "guarded", "resolve", "getattr",
    "__class__", "_name_",
}  # fmt: skip


def of_schema(schema: ComposedSchema) -> set[str]:
    """Attributes and parameters of the schema's own code."""
    found = set()
    for kind in schema.core.type_map.values():
        for field in getattr(kind, "fields", {}).values():
            own = field.extensions.get(DEFINITION)
            if own is not None:
                found.add(own.python_name)
                resolver = getattr(own, "base_resolver", None)
                found |= set(resolver.signature.parameters) if resolver else set()
    return found


def names_in(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        assert token.type not in (tokenize.STRING, tokenize.COMMENT), token
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.string


def compiled(schema: ComposedSchema, text: str, variables: dict[str, object]) -> Compiled | None:
    engine, document = Engine(schema), parse(text)
    engine.find(text, document, None, variables)
    found = engine.find(text, document, None, variables)
    return found if isinstance(found, Compiled) else None


def test_nothing_of_a_hostile_document_is_in_it(whole_schema: ComposedSchema) -> None:
    document = parse(HOSTILE)
    assert validate(whole_schema.core, document, RULES) == []
    made = compiled(whole_schema, HOSTILE, {"evilFlag": False})
    assert made is not None
    assert "evil" not in made.source.text.lower()
    assert set(names_in(made.source.text)) <= FIXED | of_schema(whole_schema) | {
        name for name in names_in(made.source.text) if GENERATED.fullmatch(name)
    }


@pytest.mark.parametrize("seed", range(40))
def test_made_up_ones_hold_known_names_only(whole_schema: ComposedSchema, seed: int) -> None:
    """Every word is Python's, numbered here, or of the schema's own code; there is no text."""
    made = Maker(whole_schema.core, Random(seed)).make()
    if validate(whole_schema.core, parse(made.text), RULES):
        return
    if (found := compiled(whole_schema, made.text, made.variables)) is None:
        return
    known = FIXED | of_schema(whole_schema)
    strange = {n for n in names_in(found.source.text) if not GENERATED.fullmatch(n)} - known
    assert strange == set()
