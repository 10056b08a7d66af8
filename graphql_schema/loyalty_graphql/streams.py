"""The operations under way on one socket, each a task with a context of its own."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

from loyalty.errors import Code, Refused
from loyalty_graphql.asked import asked
from loyalty_graphql.complaints import Complaint, complaint, internal, of_refusal
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.request_id import request_id
from loyalty_graphql.runner import Ready, Runner
from loyalty_graphql.unacceptable import Unacceptable
from loyalty_graphql.wiring import Wiring
from loyalty_tenants.principal import Principal

log = logging.getLogger("loyalty.graphql")

Put = Callable[[dict[str, Any]], None]


class Streams:
    """`put` takes the messages for the peer, in order."""

    def __init__(self, wiring: Wiring, runner: Runner, put: Put) -> None:
        self._wiring = wiring
        self._runner = runner
        self._put = put
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._tasks

    def start(self, name: str, payload: dict[str, Any], principal: Principal) -> None:
        """Begin an operation, or answer that there are too many."""
        allowed = self._wiring.numbers.subscriptions
        if len(self._tasks) >= allowed:
            text = f"at most {allowed} operations at once on a socket; complete one first"
            self._error(name, [complaint(Code.LIMIT_EXCEEDED.value, text, limit="subscriptions")])
            return
        self._tasks[name] = asyncio.create_task(self._operate(name, payload, principal))

    def complete(self, name: str) -> None:
        """The peer wants no more of it. Its name is free at once."""
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()

    async def stop(self) -> None:
        """Cancel everything and wait until each has cleaned up behind itself."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _operate(self, name: str, payload: dict[str, Any], principal: Principal) -> None:
        operation = request_id(None)
        try:
            admission = self._wiring.admission
            admission.check(principal)
            with admission.reading(principal):
                ready = self._runner.prepare(asked(payload), principal)
            admission.charge(principal, ready.cost)
            await self._deliver(name, ready, principal, operation)
            last: dict[str, Any] = {"id": name, "type": "complete"}
        except Unacceptable as no:
            last = _error(name, no.complaints)
        except Rejected as no:
            last = _error(name, [no.complaint])
        except Refused as no:
            last = _error(name, [of_refusal(no)])
        except Exception:
            log.exception("operation %s on a socket failed", operation)
            last = _error(name, [internal(operation)])
        self._finish(name, last)

    async def _deliver(self, name: str, ready: Ready, principal: Principal, operation: str) -> None:
        context = self._wiring.context_for(principal, operation)
        turn = self._wiring.admission.turn
        if not ready.is_subscription:
            async with turn(principal):
                answer = await self._runner.run(ready, context)
            self._put({"id": name, "type": "next", "payload": answer})
            return
        events = await self._runner.watch(ready, context)
        async with aclosing(cast("Any", events)):
            async for event in events:
                # Anew for each event: a loader answers again what it answered before.
                fresh = self._wiring.context_for(principal, operation)
                async with turn(principal, event=True):
                    answer = await self._runner.run(ready, fresh, root=event)
                self._put({"id": name, "type": "next", "payload": answer})
                # Lets the writer run, or a burst would pass for a peer that does not read.
                await asyncio.sleep(0)

    def _finish(self, name: str, last: dict[str, Any]) -> None:
        if self._tasks.get(name) is asyncio.current_task():
            del self._tasks[name]
            self._put(last)

    def _error(self, name: str, complaints: list[Complaint]) -> None:
        self._put(_error(name, complaints))


def _error(name: str, complaints: list[Complaint]) -> dict[str, Any]:
    return {"id": name, "type": "error", "payload": complaints}
