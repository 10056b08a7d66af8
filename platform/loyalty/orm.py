"""Tortoise models inside the platform's own tenant transaction.

Tortoise never gets a pool: its own `in_transaction()` loses connections when a task is cancelled
while it begins. It speaks over a connection that it neither opened nor ends.
"""

from typing import Any, NoReturn

from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper


class BoundClient(TransactionWrapper):
    def __init__(self, parent: AsyncpgDBClient, connection: Any) -> None:
        super().__init__(parent)
        self._connection = connection

    async def begin(self) -> NoReturn:
        raise RuntimeError("the tenant transaction is already open")

    commit = rollback = begin


def bound(connection: Any) -> BoundClient:
    """A Tortoise client over `connection`, for `using_db=` of any query."""
    return BoundClient(_PARENT, connection)


_PARENT = AsyncpgDBClient(
    user="", password="", database="", host="", port=0, connection_name="default"
)
