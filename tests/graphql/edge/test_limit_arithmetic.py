"""Adding fragments up gives what putting them in would have given."""

from collections.abc import Callable

from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.limits import LimitExceeded, Limits, Shaper

ENDLESS = Limits(
    depth=10**6, fields=10**6, aliases=10**6, directives=10**6, repeats=10**6, query_fields=10**6
)
TIGHT = Limits(depth=6, fields=25, aliases=4, directives=4, repeats=10**6, query_fields=10**6)
FRAGMENTS = 4


leaf = st.sampled_from(["name", "id", "a: name", "note @skip(if: true)", "balances { unit }"])


def selections(deepest: int) -> st.SearchStrategy[str]:
    """Selections on a person, `<n>` for a spread: of later fragments only, so without cycles."""
    spread = st.integers(deepest, FRAGMENTS - 1).map(lambda n: f"<{n}>")
    one = leaf if deepest >= FRAGMENTS else leaf | spread
    nested = st.recursive(
        st.lists(one, min_size=1, max_size=3).map(" ".join),
        lambda inner: (
            inner.map(lambda text: f"friend {{ {text} }}")
            | inner.map(lambda text: f"... @include(if: true) {{ {text} }}")
        ),
        max_leaves=4,
    )
    return st.lists(nested, min_size=1, max_size=2).map(" ".join)


documents = st.tuples(*(selections(n) for n in range(FRAGMENTS + 1)))


def spread(parts: tuple[str, ...]) -> str:
    texts = [_numbered(part, lambda n: f"...f{n}") for part in parts]
    fragments = [f"fragment f{n} on Person {{ {text} }}" for n, text in enumerate(texts[1:])]
    return " ".join([f"{{ member {{ {texts[0]} }} }}", *fragments])


def put_in(parts: tuple[str, ...]) -> str:
    def inlined(text: str) -> str:
        return _numbered(text, lambda n: f"... on Person {{ {inlined(parts[n + 1])} }}")

    return f"{{ member {{ {inlined(parts[0])} }} }}"


def _numbered(text: str, show: Callable[[int], str]) -> str:
    for number in range(FRAGMENTS):
        if f"<{number}>" in text:
            text = text.replace(f"<{number}>", show(number))
    return text


def measured(schema: ComposedSchema, text: str, limits: Limits) -> object:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    try:
        shape = Shaper(schema.core, document, limits).operation(operation)
    except LimitExceeded:
        return "refused"
    return shape.cost.of({}), shape.roots


@given(documents)
def test_arithmetic_is_expansion(schema: ComposedSchema, parts: tuple[str, ...]) -> None:
    for limits in (ENDLESS, TIGHT):
        assert measured(schema, spread(parts), limits) == measured(schema, put_in(parts), limits)
