"""Runs operations, the same for HTTP and for sockets: prepare, check, execute, mask."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, OperationType

from compiled_graphql import Compiled, Engine, Reason
from loyalty_graphql.access import Asking
from loyalty_graphql.asked import Asked
from loyalty_graphql.complaints import of_execution
from loyalty_graphql.compose import COERCION_ERRORS_MAX, HIDE_SUGGESTIONS
from loyalty_graphql.documents import Document, Documents, Operation, introspection_refused
from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.meters import EXECUTIONS
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.trusted import TrustedDocuments
from loyalty_graphql.unacceptable import Unacceptable
from loyalty_graphql.wiring import Wiring
from loyalty_tenants.principal import Principal

Answer = dict[str, Any]
COMPILED = EXECUTIONS.labels("compiled")


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that may run."""

    text: str
    document: DocumentNode
    operation: Operation
    name: str | None
    variables: dict[str, Any]
    cost: int
    """Objects that it may answer with, and items that it hands over."""
    way: Compiled | Reason
    """What executes it: found, and compiled, in the time that the caller is charged for."""

    @property
    def is_subscription(self) -> bool:
        return self.operation.kind is OperationType.SUBSCRIPTION


class Runner:
    def __init__(self, wiring: Wiring) -> None:
        """Get ready.

        :raises ValueError: a trusted document is refused
        """
        self._schema = wiring.schema
        self._numbers = wiring.numbers
        self._engine = Engine(
            wiring.schema,
            is_on=wiring.compiled,
            max_errors=COERCION_ERRORS_MAX,
            hide_suggestions=HIDE_SUGGESTIONS,
        )
        self._documents = Documents(
            wiring.schema, wiring.limits, introspection=wiring.introspection
        )
        self._trusted = TrustedDocuments(wiring.trusted, self._documents, self._engine)

    def prepare(self, asked: Asked, principal: Principal | None) -> Ready:
        """Everything that can be refused without running.

        :raises Unacceptable: the document or its variables are refused
        :raises Rejected: 400, it is not clear which operation is meant
        """
        text, document = self._document(asked, principal)
        operation = document.operation(asked.operation_name)
        if operation.introspects and principal is None:
            raise introspection_refused("send a credential with it, or read /schema.graphql")
        variables = asked.variables or {}
        cost = self._documents.check(operation, variables)
        if operation.batch:
            cost += sum(len(value) for value in variables.values() if isinstance(value, list))
        way = self._engine.find(
            text,
            document.node,
            operation.name,
            variables,
            owner=None if principal is None else principal.tenant_id,
            is_kept=principal is not None,
        )
        return Ready(text, document.node, operation, operation.name, variables, cost, way)

    def _document(self, asked: Asked, principal: Principal | None) -> tuple[str, Document]:
        if asked.query is None:
            trusted = self._trusted.find(asked.document_id or "")
            return trusted.text, trusted.document
        tenant = None if principal is None else principal.tenant_id
        return asked.query, self._documents.read(asked.query, tenant)

    async def run(
        self, ready: Ready, context: Asking, root: object = None, *, spent: float = 0.0
    ) -> Answer:
        """Execute a query or mutation, or one event of a subscription.

        `spent` seconds of its time are gone already.

        :raises Unacceptable: a variable does not fit its type; nothing ran
        :raises Rejected: 504 where it takes too long
        """
        seconds = self._seconds(ready)
        try:
            async with asyncio.timeout(seconds - spent):
                result = await self._execute(ready, context, root)
        except TimeoutError:
            raise _too_long(seconds) from None
        return _answer(result, context.request_id)

    async def _execute(self, ready: Ready, context: Asking, root: object) -> ExecutionResult:
        if isinstance(ready.way, Compiled):
            COMPILED.inc()
            return await ready.way(ready.variables, context, root)
        EXECUTIONS.labels(ready.way.value).inc()
        if ready.operation.introspects:
            self._schema.describe()
        return await self._schema.run(
            ready.document,
            context=context,
            operation_name=ready.name,
            variables=ready.variables,
            root=root,
        )

    async def watch(self, ready: Ready, context: Asking) -> AsyncIterable[Any]:
        """The events of a subscription.

        :raises Unacceptable: it was refused, or a variable does not fit
        """
        events = await self._schema.watch(
            ready.document, context=context, operation_name=ready.name, variables=ready.variables
        )
        if isinstance(events, list):
            raise Unacceptable(of_execution(events, context.request_id))
        return events

    def _seconds(self, ready: Ready) -> float:
        return self._numbers.batch_seconds if ready.operation.batch else self._numbers.seconds


def _answer(result: ExecutionResult, request_id: str) -> Answer:
    if not result.errors:
        return {"data": result.data}
    complaints = of_execution(result.errors, request_id)
    if result.data is None and all(error.path is None for error in result.errors):
        raise Unacceptable(complaints)
    return {"errors": complaints, "data": result.data}


def _too_long(seconds: float) -> Rejected:
    return Rejected(
        504,
        EdgeCode.TIMEOUT,
        f"this took longer than {seconds:g} seconds; what it writes may still be written, "
        "so ask again with the same key",
    )
