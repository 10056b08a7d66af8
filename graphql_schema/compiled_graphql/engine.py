"""Which operations are compiled, when, and for whom they are kept."""

import logging
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode
from strawberry import Schema
from strawberry.extensions.base_extension import SchemaExtension
from strawberry.types.info import Info

from compiled_graphql.cache import Cache
from compiled_graphql.compiled import FIELDS_MAX, Compiled
from compiled_graphql.info import LeanInfo, full_info
from compiled_graphql.inputs import Inputs
from compiled_graphql.operation import Operation, operation_of
from compiled_graphql.target import Target
from compiled_graphql.unsupported import Reason, Unsupported

log = logging.getLogger("compiled_graphql")

SIGHT = 500
"""Bytes that a document counts for of which only is known that it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`entries` operations and `size` bytes are kept; what has more `fields` is not compiled."""

    entries: int = 2_000
    size: int = 64 * 2**20
    fields: int = FIELDS_MAX


@dataclass(slots=True)
class _Known:
    """An operation by its conditions, or why it is not compiled."""

    operation: Operation | Reason
    variants: dict[tuple[bool, ...], Compiled | Reason] = field(default_factory=dict)
    is_pinned: bool = False

    @property
    def size(self) -> int:
        made = (each for each in self.variants.values() if isinstance(each, Compiled))
        return SIGHT + sum(each.size for each in made)


class Engine:
    """The compiled operations of one schema. For one event loop, as the executor itself.

    `find` answers what runs an operation, or why the stock executor must. Documents are to be
    parsed, limited and validated before.
    """

    def __init__(
        self, schema: Schema, bounds: Bounds | None = None, *, is_on: bool = True,
        max_errors: int = 50, hide_suggestions: bool = False,
    ) -> None:  # fmt: skip
        self._bounds = bounds or Bounds()
        self._reason = Reason.OFF if not is_on else _against(schema)
        self._target = Target(
            schema=schema,
            inputs=Inputs(schema),
            info=_info(schema),
            max_errors=max_errors,
            hide_suggestions=hide_suggestions,
        )
        self._cache: Cache[_Known | None] = Cache(self._bounds.entries, self._bounds.size)
        self._trusted: dict[Hashable, _Known] = {}

    def find(
        self, text: str, document: DocumentNode, name: str | None, variables: Mapping[str, Any],
        *, owner: Hashable = None, is_kept: bool = True,
    ) -> Compiled | Reason:  # fmt: skip
        """What runs the operation `name` of a document with these variables.

        Compiled when it is seen for the second time, on the account of `owner`; what was sent by
        somebody unknown (not `is_kept`) is never compiled, but runs what others had compiled.
        """
        if self._reason is not None:
            return self._reason
        key = text, name
        known = self._trusted.get(key) or self._cache.get(key)
        if known is None:
            if not is_kept:
                return Reason.NOT_KEPT
            if key not in self._cache:
                self._cache.put(key, None, owner, SIGHT + len(text))
                return Reason.FIRST_SIGHT
            known = self._known(document, name)
            self._cache.replace(key, known)
        return self._variant(key, known, variables, is_kept)

    def trust(self, text: str, document: DocumentNode) -> Mapping[str | None, Reason]:
        """Compile every operation of a document and keep it for good; answers what was not."""
        left: dict[str | None, Reason] = {}
        for node in document.definitions:
            if not isinstance(node, OperationDefinitionNode):
                continue
            name = node.name.value if node.name else None
            if self._reason is not None:
                left[name] = self._reason
                continue
            known = self._trusted[text, name] = self._known(document, name)
            known.is_pinned = True
            for found in self._all(known):
                if isinstance(found, Reason):
                    left[name] = found
        return left

    def _all(self, known: _Known) -> Iterator[Compiled | Reason]:
        if isinstance(known.operation, Reason):
            yield known.operation
            return
        for flags in product((False, True), repeat=len(known.operation.conditions)):
            yield self._compile(known, known.operation, flags)

    def _known(self, document: DocumentNode, name: str | None) -> _Known:
        try:
            return _Known(operation_of(document, name))
        except Unsupported as no:
            return _Known(no.reason)

    def _variant(
        self, key: Hashable, known: _Known, variables: Mapping[str, Any], is_kept: bool
    ) -> Compiled | Reason:
        operation = known.operation
        if isinstance(operation, Reason):
            return operation
        flags = operation.flags(variables)
        if flags is None:
            return Reason.CONDITIONS
        found = known.variants.get(flags)
        if found is None:
            if not is_kept:
                return Reason.NOT_KEPT
            found = self._compile(known, operation, flags)
            if not known.is_pinned:
                self._cache.resize(key, known.size)
        return found

    def _compile(
        self, known: _Known, operation: Operation, flags: tuple[bool, ...]
    ) -> Compiled | Reason:
        made: Compiled | Reason
        try:
            made = Compiled(self._target, operation, flags, self._bounds.fields)
        except Unsupported as no:
            made = no.reason
        except Exception:
            log.exception("an operation could not be compiled")
            made = Reason.FAILED
        known.variants[flags] = made
        return made


def _against(schema: Schema) -> Reason | None:
    """Extensions see fields or rewrite results: whoever has them keeps the stock executor."""
    for each in schema.extensions:
        kind = each if isinstance(each, type) else type(each)
        if not (isinstance(kind, type) and issubclass(kind, SchemaExtension)):
            return Reason.EXTENSION
        if kind is not SchemaExtension:
            return Reason.EXTENSION
    return None


def _info(schema: Schema) -> Any:
    kind = schema.schema_converter.config.info_class
    return LeanInfo if kind is Info else full_info(kind)
