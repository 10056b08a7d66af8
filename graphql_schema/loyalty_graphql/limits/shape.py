"""The shape of an operation: measured on its syntax, fragments put in by arithmetic."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    get_named_type,
    value_from_ast_untyped,
)

from loyalty_graphql.limits.cost import OBJECT, VALUE, Cost, Paged
from loyalty_graphql.limits.exceeded import LimitExceeded
from loyalty_graphql.limits.literals import check_arguments, check_literal
from loyalty_graphql.limits.numbers import Limits
from loyalty_graphql.limits.sizes import field_of, page_of, size_of
from loyalty_graphql.limits.tally import Tally

# What the whole schema costs to print, whatever the selection: so much that once is enough.
_SCHEMA_COST = {"__schema": 800 * OBJECT, "__type": 20 * OBJECT}


@dataclass(frozen=True, slots=True)
class Shape:
    """A measured operation. `roots` are its outermost fields by name and how often."""

    roots: Counter[str]
    cost: Cost
    visited: int


class Shaper:
    """Measures one operation of a document; stops at the first limit that is passed.

    Each node of the syntax is visited once and each fragment measured once for each page it stands
    in, however often it is spread. A type or fragment that does not exist measures nothing:
    validation will name it.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._measured: dict[tuple[str, Paged | None], Tally] = {}
        self._defaults: dict[str, Any] = {}
        self._level = 0
        self._deepest = limits.depth
        self.visited = 0

    def operation(self, node: OperationDefinitionNode) -> Shape:
        """Measure.

        :raises LimitExceeded: with the name of the limit
        """
        self._defaults = {
            v.variable.name.value: value_from_ast_untyped(v.default_value)
            for v in node.variable_definitions or ()
            if v.default_value is not None
        }
        for variable in node.variable_definitions or ():
            if variable.default_value is not None:
                check_literal(variable.default_value, self._limits)
        root = self._schema.get_root_type(node.operation)
        tally = self._selections(node.selection_set.selections, root, None)
        tally.directives += len(node.directives or ())
        self._check(tally)
        self._check_roots(node.operation, tally)
        return Shape(roots=tally.names, cost=tally.cost, visited=self.visited)

    def _selections(
        self,
        nodes: Iterable[SelectionNode],
        parent: GraphQLNamedType | None,
        page: Paged | None,
        repeats: Counter[str] | None = None,
    ) -> Tally:
        tally = Tally()
        repeats = Counter() if repeats is None else repeats
        for node in nodes:
            self.visited += 1
            tally.directives += len(node.directives or ())
            match node:
                case FieldNode():
                    self._check_repeats(repeats, node)
                    check_arguments(node.arguments, self._limits)
                    tally.add(self._field(node, parent, page))
                case InlineFragmentNode():
                    within = node.type_condition
                    kind = self._schema.get_type(within.name.value) if within else parent
                    inner = node.selection_set.selections
                    tally.add(self._selections(inner, kind, page, repeats))
                case FragmentSpreadNode():
                    tally.add(self._fragment(node.name.value, page))
            # At once, before a fragment of fragments makes it a number with thousands of digits.
            self._check(tally)
        return tally

    def _fragment(self, name: str, page: Paged | None) -> Tally:
        measured = self._measured.get((name, page))
        if measured is None:
            # Known as nothing while it is measured, so that a cycle ends; validation refuses it.
            self._measured[name, page] = measured = Tally()
            if (node := self._fragments.get(name)) is not None:
                kind = self._schema.get_type(node.type_condition.name.value)
                measured = self._selections(node.selection_set.selections, kind, page)
                measured.directives += len(node.directives or ())
                self._measured[name, page] = measured
        return measured

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: Paged | None) -> Tally:
        name = node.name.value
        if name in _SCHEMA_COST:
            return self._introspection(node, name)
        field = field_of(parent, name)
        own = page_of(node, field, self._defaults, self._limits)
        size = size_of(node, parent, field, own or page, self._defaults, self._limits)
        cost = Cost(VALUE)
        below = Tally()
        if node.selection_set is not None:
            kind = get_named_type(field.type) if field else None
            # A field that takes a page and is no list hands it to the list beneath it.
            below = self._below(
                node.selection_set.selections, kind, own if size is not own else None
            )
            cost = (Cost(OBJECT) + below.cost).times(size)
        return Tally(
            depth=1 + below.depth,
            fields=1 + below.fields,
            aliases=below.aliases + (node.alias is not None),
            directives=below.directives,
            cost=cost,
            names=Counter((name,)),
        )

    def _below(
        self,
        nodes: Iterable[SelectionNode],
        kind: GraphQLNamedType | None,
        page: Paged | None,
    ) -> Tally:
        self._level += 1
        if self._level > self._deepest:
            raise self._too("depth", self._deepest, "nest less, or send several requests")
        below = self._selections(nodes, kind, page)
        self._level -= 1
        return below

    def _introspection(self, node: FieldNode, name: str) -> Tally:
        """The schema's own fields nest deeper than data does, and graphql-core bounds them."""
        level, self._level, self._deepest = self._level, 0, self._limits.introspection_depth
        root = self._schema.type_map["__Schema" if name == "__schema" else "__Type"]
        selections = node.selection_set.selections if node.selection_set else ()
        below = self._selections(selections, root, None)
        self._level, self._deepest = level, self._limits.depth
        return Tally(
            depth=1,
            fields=1,
            aliases=below.aliases + (node.alias is not None),
            directives=below.directives,
            cost=Cost(_SCHEMA_COST[name]),
            names=Counter((name,)),
        )

    def _check(self, tally: Tally) -> None:
        limits = self._limits
        if self._level + tally.depth > self._deepest:
            raise self._too("depth", self._deepest, "nest less, or send several requests")
        for limit, found, allowed in (
            ("fields", tally.fields, limits.fields),
            ("aliases", tally.aliases, limits.aliases),
            ("directives", tally.directives, limits.directives),
        ):
            if found > allowed:
                raise self._too(limit, allowed, "send several requests")

    def _check_repeats(self, repeats: Counter[str], node: FieldNode) -> None:
        shown = node.alias.value if node.alias else node.name.value
        repeats[shown] += 1
        # Validation compares all pairs of equal names.
        if repeats[shown] > self._limits.repeats:
            raise self._too("repeats", self._limits.repeats, f"select {shown} once")

    def _check_roots(self, operation: OperationType, tally: Tally) -> None:
        if operation is OperationType.SUBSCRIPTION:
            return
        is_query = operation is OperationType.QUERY
        allowed = self._limits.query_fields if is_query else self._limits.mutation_fields
        if tally.names.total() > allowed:
            limit = "query_fields" if is_query else "mutation_fields"
            raise self._too(limit, allowed, "send several requests")

    def _too(self, limit: str, allowed: int, advice: str) -> LimitExceeded:
        return LimitExceeded(
            limit, f"the limit of {allowed} for {limit.replace('_', ' ')} is passed; {advice}"
        )
