"""Documents: parsed, limited and validated once, then kept with what each request must check."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from loyalty_graphql.access import Rule
from loyalty_graphql.complaints import of_document, of_limit
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.guard import rules_of_root
from loyalty_graphql.kept import Kept
from loyalty_graphql.limits import LimitExceeded, Limits, Shape, Shaper, VariableSizes
from loyalty_graphql.limits.cost import OBJECT
from loyalty_graphql.limits.variables import Check, check_each
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.scalars import BIG_SCALARS
from loyalty_graphql.unacceptable import Unacceptable

ERRORS_MAX = 5

# Built once: a tuple made for each request would be another one to every cache.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document and what is known of it before the request's variables are."""

    name: str | None
    kind: OperationType
    shape: Shape
    checks: Mapping[str, Check]
    batch: bool

    @property
    def introspects(self) -> bool:
        return "__schema" in self.shape.roots or "__type" in self.shape.roots


@dataclass(frozen=True, slots=True)
class Document:
    node: DocumentNode
    operations: Mapping[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """The operation to run.

        :raises Rejected: 400 where there is none by that name, or several and no name
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None or name not in self.operations:
            raise Rejected(
                400,
                EdgeCode.OPERATION_UNCLEAR,
                "send operationName with the name of one operation of the document",
            )
        return self.operations[name]


class Documents:
    """The documents of one schema that were read lately. Only acceptable ones are kept."""

    def __init__(
        self, schema: ComposedSchema, limits: Limits | None = None, *, introspection: bool = True
    ) -> None:
        self.limits = limits or Limits()
        self._core = schema.core
        self._introspection = introspection
        self._sizes = VariableSizes(schema.core, self.limits, BIG_SCALARS)
        self._mutations: Mapping[str, Rule] = rules_of_root(schema.core.mutation_type)
        self._kept: Kept[Document] = Kept()

    def read(self, text: str, tenant: Hashable = None) -> Document:
        """The document of a text that somebody of this tenant sent.

        :raises Unacceptable: it does not parse, passes a limit or is not valid
        """
        if (kept := self._kept.get(text)) is not None:
            return kept
        document = self.made(text)
        self._kept.put(text, document, tenant)
        return document

    def made(self, text: str) -> Document:
        """The same, for who keeps it.

        :raises Unacceptable: it does not parse, passes a limit or is not valid
        """
        try:
            return self._document(self._parsed(text))
        except LimitExceeded as found:
            raise Unacceptable([of_limit(found)]) from None

    def check(self, operation: Operation, variables: Mapping[str, Any]) -> int:
        """Limits that depend on the variables: the sizes of values and pages, the cost.

        Answers the cost, in objects.

        :raises Unacceptable: one is passed
        """
        try:
            check_each(operation.checks, variables)
            cost = operation.shape.cost.of(variables)
            objects = -(-cost // OBJECT)
            if cost > self.limits.cost * OBJECT:
                raise LimitExceeded(
                    "cost",
                    f"this may cost {objects:,} objects of at most "
                    f"{self.limits.cost:,}; ask for smaller pages or fewer lists within lists",
                )
        except LimitExceeded as found:
            raise Unacceptable([of_limit(found)]) from None
        return objects

    def _parsed(self, text: str) -> DocumentNode:
        if len(text) > self.limits.document_length:
            raise LimitExceeded(
                "document_length",
                f"a document has at most {self.limits.document_length:,} characters; "
                "send values as variables",
            )
        try:
            return parse(
                text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments
            )
        except GraphQLError as error:
            raise _unparsed(error, self.limits) from None

    def _document(self, node: DocumentNode) -> Document:
        # Limits first: validation compares fields in pairs and expands fragments.
        operations = {o.name: o for o in self._operations(node)}
        errors = validate(self._core, node, _RULES, max_errors=ERRORS_MAX, hide_suggestions=True)
        if errors:
            raise Unacceptable(of_document(errors[:ERRORS_MAX], EdgeCode.VALIDATION_FAILED))
        return Document(node, operations)

    def _operations(self, node: DocumentNode) -> Iterator[Operation]:
        for defined in node.definitions:
            if not isinstance(defined, OperationDefinitionNode):
                continue
            shape = Shaper(self._core, node, self.limits).operation(defined)
            self._check_roots(defined, shape)
            operation = Operation(
                name=defined.name.value if defined.name else None,
                kind=defined.operation,
                shape=shape,
                checks=self._sizes.checks(defined),
                batch=self._is_batch(defined, shape),
            )
            if operation.introspects and not self._introspection:
                raise introspection_refused("it is switched off; the schema is published as a file")
            yield operation

    def _check_roots(self, defined: OperationDefinitionNode, shape: Shape) -> None:
        if defined.operation is not OperationType.MUTATION:
            return
        moving = sum(n for name, n in shape.roots.items() if self._rule(name).money)
        if moving > self.limits.money_fields:
            raise LimitExceeded(
                "money_fields",
                f"a request has at most {self.limits.money_fields} mutation that moves value; "
                "send several requests",
            )

    def _is_batch(self, defined: OperationDefinitionNode, shape: Shape) -> bool:
        if defined.operation is not OperationType.MUTATION:
            return False
        return any(self._rule(name).batch for name in shape.roots)

    def _rule(self, name: str) -> Rule:
        return self._mutations.get(name) or Rule()


def introspection_refused(why: str) -> Unacceptable:
    error = GraphQLError(f"no introspection: {why}")
    return Unacceptable(of_document([error], EdgeCode.INTROSPECTION_DISABLED))


def _unparsed(error: GraphQLError, limits: Limits) -> Exception:
    if "contains more than" in error.message:
        return LimitExceeded(
            "tokens", f"a document has at most {limits.tokens:,} tokens; send several requests"
        )
    if "nested too deeply" in error.message:
        return LimitExceeded("depth", f"a document nests at most {limits.depth} fields deep")
    return Unacceptable(of_document([error], EdgeCode.PARSE_FAILED))
