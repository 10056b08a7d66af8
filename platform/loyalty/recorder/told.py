"""What is told of a commit: written out while Postgres still works, sent when it is done."""

import logging
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Committed

Done = tuple[Batch, Iterable[Change]]
log = logging.getLogger(__name__)


class Listener(Protocol):
    """Hears what a transaction changed, of each tenant that it was about.

    It is called before the commit, to work out whatever it has to say; it says that, and believes
    it, when what it answers is awaited. Where the transaction fails nobody awaits it.
    """

    def __call__(self, *committed: Committed) -> Coroutine[Any, Any, None]: ...


class Told:
    """What a listener is told of one transaction; its failures are no failures of that.

    Close it: what was not sent is dropped.
    """

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener
        self._sending: Coroutine[Any, Any, None] | None = None

    async def write_out(self, *done: Done) -> None:
        """Work out what is to be told of batches and what they changed."""
        news = [
            Committed(tenant_id=batch.setup.tenant_id, changes=tuple(newest.values()))
            for batch, changes in done
            if (newest := {(c.owner, c.unit): c for c in changes})
        ]
        if news and self._listener is not None:
            try:
                self._sending = self._listener(*news)
            except Exception:
                log.exception("what is to be told of a commit could not be worked out")

    async def send(self) -> None:
        """After the commit."""
        if self._sending is not None:
            try:
                await self._sending
            except Exception:
                log.exception("telling of a commit failed")

    def close(self) -> None:
        if self._sending is not None:
            self._sending.close()
