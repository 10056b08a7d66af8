"""The tenant's epoch: a number that every change of its setup raises.

A process that holds an older one knows that what it remembers of the tenant is stale.
"""

from loyalty.plugin import Connection


async def raise_epoch(connection: Connection) -> int:
    """Raise the epoch of the transaction's tenant; first thing in every change.

    It also locks the tenant's row, so changes of one tenant happen one after the other and what a
    change reads afterwards stays true until it commits.
    """
    epoch = await connection.fetchval(
        """update loyalty.tenant set epoch = epoch + 1
            where tenant_id = loyalty.tenant() returning epoch"""
    )
    if epoch is None:
        raise LookupError("there is no such tenant")
    return int(epoch)
