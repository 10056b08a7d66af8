"""What is compiled, when, for whom, and within which bounds."""

from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, parse
from strawberry.extensions import SchemaExtension

from compiled_graphql import Bounds, Compiled, Engine, Reason
from compiled_graphql.cache import Cache
from tests.compiled.kitchen import Query, made

SCHEMA = made()
CATS = "{ cats { name lives } }"


class Asked:
    """An engine, and documents by their text."""

    def __init__(self, **bounds: Any) -> None:
        self.engine = Engine(SCHEMA, Bounds(**bounds))
        self._parsed: dict[str, DocumentNode] = {}

    def find(self, text: str, owner: str = "one", **given: Any) -> Compiled | Reason:
        document = self._parsed.setdefault(text, parse(text))
        variables = given.pop("variables", {})
        name = given.pop("name", None)
        return self.engine.find(text, document, name, variables, owner=owner, **given)

    def twice(self, text: str, owner: str = "one", **given: Any) -> Compiled | Reason:
        self.find(text, owner, **given)
        return self.find(text, owner, **given)


def test_what_comes_again_is_compiled_once() -> None:
    asked = Asked()
    assert asked.find(CATS) is Reason.FIRST_SIGHT
    compiled = asked.find(CATS, owner="another")
    assert isinstance(compiled, Compiled)
    assert asked.find(CATS) is compiled


def test_nothing_is_compiled_or_kept_for_strangers() -> None:
    asked = Asked()
    for _ in range(3):
        assert asked.find(CATS, is_kept=False) is Reason.NOT_KEPT
    assert asked.find(CATS) is Reason.FIRST_SIGHT
    assert asked.find(CATS, is_kept=False) is not Reason.FIRST_SIGHT


def test_strangers_use_what_is_there_but_compile_no_variant_of_it() -> None:
    asked = Asked()
    text = "query($s: Boolean!) { cats { name @skip(if: $s) lives } }"
    compiled = asked.twice(text, variables={"s": True})
    assert asked.find(text, is_kept=False, variables={"s": True}) is compiled
    assert asked.find(text, is_kept=False, variables={"s": False}) is Reason.NOT_KEPT
    assert isinstance(asked.find(text, variables={"s": False}), Compiled)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ __schema { types { name } } }", Reason.INTROSPECTION),
        ('{ __type(name: "Cat") { name } }', Reason.INTROSPECTION),
        ("{ cats { name @odd } }", Reason.DIRECTIVE),
        ("query @experimental_disableErrorPropagation { cats { name } }", Reason.DIRECTIVE),
        ("{ a: __typename } query B { b: __typename }", Reason.OPERATION),
        ("{ " + " ".join(f"a{n}: instant" for n in range(300)) + " }", Reason.LARGE),
        (
            "query(" + "".join(f"$v{n}: Boolean! " for n in range(5)) + ") { "
            + " ".join(f"a{n}: instant @skip(if: $v{n})" for n in range(5)) + " }",
            Reason.CONDITIONS,
        ),
    ],
    ids=lambda each: str(each)[:30],
)  # fmt: skip
def test_what_is_left_to_the_stock_executor_has_its_reason(text: str, reason: Reason) -> None:
    assert Asked().twice(text, variables=dict.fromkeys((f"v{n}" for n in range(5)), True)) is reason


def test_a_condition_that_is_null_is_for_the_stock_executor_this_once() -> None:
    asked = Asked()
    text = "query($s: Boolean = true) { cats { name @skip(if: $s) lives } }"
    assert asked.twice(text, variables={"s": None}) is Reason.CONDITIONS
    assert isinstance(asked.find(text), Compiled)


def test_subscriptions_are_not_compiled() -> None:
    assert Asked().twice("subscription { ticks }") is Reason.SUBSCRIPTION


def test_switched_off_nothing_is() -> None:
    engine = Engine(SCHEMA, is_on=False)
    assert engine.find(CATS, parse(CATS), None, {}) is Reason.OFF
    assert engine.trust(CATS, parse(CATS)) == {None: Reason.OFF}


def test_a_schema_with_extensions_keeps_its_executor() -> None:
    class Watching(SchemaExtension):
        pass

    schema = strawberry.Schema(query=Query, extensions=[Watching])
    assert Engine(schema).find(CATS, parse(CATS), None, {}) is Reason.EXTENSION


def test_trusted_documents_are_compiled_ahead_and_stay() -> None:
    asked = Asked(entries=2)
    text = "query A($s: Boolean!) { cats { name @skip(if: $s) lives } } query B { instant }"
    assert asked.engine.trust(text, parse(text)) == {}
    for n in range(10):
        asked.twice(f"{{ a{n}: instant }}")
    for flag in (True, False):
        found = asked.find(text, name="A", variables={"s": flag}, is_kept=False)
        assert isinstance(found, Compiled)
    assert isinstance(asked.find(text, name="B", is_kept=False), Compiled)


def test_of_what_is_trusted_it_says_what_is_not_compiled() -> None:
    text = "query A { __schema { types { name } } } query B { instant }"
    assert Asked().engine.trust(text, parse(text)) == {"A": Reason.INTROSPECTION}


def test_a_flood_drives_out_the_flood() -> None:
    asked = Asked(entries=20)
    mine = asked.twice(CATS, owner="quiet")
    for n in range(100):
        asked.twice(f"{{ a{n}: instant }}", owner="loud")
    assert asked.find(CATS, owner="quiet") is mine


def test_many_bytes_are_given_up_as_many_entries_are() -> None:
    cache: Cache[str] = Cache(entries=100, size=1_000)
    cache.put("small", "s", "quiet", 100)
    for n in range(10):
        cache.put(n, "l", "loud", 300)
        assert cache.size <= 1_000
    assert cache.get("small") == "s"
    assert cache.get(9) == "l"
    assert cache.get(0) is None
    cache.resize("small", 2_000)
    assert cache.get("small") is None
    assert (len(cache), cache.size) == (3, 900)


def test_a_mistake_of_the_compiler_leaves_the_stock_executor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("compiled_graphql.engine.Compiled.__init__", broken)
    assert Asked().twice(CATS) is Reason.FAILED
    assert "could not be compiled" in caplog.text
