"""Admission of operations: a rate for each tenant and each member, and turns among the tenants.

All of it is this process's own: asking a server how busy we are would cost more than most requests
do, and what is protected is this process.
"""

import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import ceil

from loyalty_graphql.admission.allowances import PER_OPERATION, PER_SECOND, Allowances
from loyalty_graphql.admission.bucket import Buckets
from loyalty_graphql.admission.turns import Full, Turns
from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.rejection import Rejected
from loyalty_tenants.principal import Principal, Role

TOLD_SECONDS = 60.0
STRANGERS, OPERATORS = "strangers", "operators"
log = logging.getLogger("loyalty.graphql")


class Admission:
    def __init__(
        self,
        allowances: Allowances | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._numbers = numbers = allowances or Allowances()
        self._monotonic = monotonic
        self._tenants = Buckets(numbers.tenant_rate, numbers.burst_seconds)
        self._members = Buckets(numbers.member_rate, numbers.burst_seconds)
        self._partners = Buckets(numbers.tenant_rate / 2, numbers.burst_seconds)
        self._turns = Turns(numbers, monotonic)
        self._sockets: Counter[Hashable] = Counter()
        self._told: dict[Hashable, float] = {}

    def check(self, principal: Principal | None) -> None:
        """Do nothing, or refuse whoever has used up more than comes back, before they are read.

        :raises Rejected: 429
        """
        now = self._monotonic()
        waits = [b.seconds_until_free(key, now) for b, key in self._buckets(principal)]
        if (seconds := max(waits)) > 0:
            raise self._too_fast(principal, ceil(seconds))
        if self._turns.full(_group(principal)):
            raise self._too_fast(principal, 1)

    def charge(self, principal: Principal | None, objects: int) -> None:
        """An operation that may answer with so many objects is about to run."""
        self._spend(principal, PER_OPERATION + objects)

    @contextmanager
    def reading(self, principal: Principal | None) -> Iterator[None]:
        """Charges the time of the block, whatever becomes of it: a refusal too is work.

        It must not wait for anything. Time, not CPU: while it runs nobody else does, and where the
        machine is busy with other things that is all the longer.
        """
        begun = self._monotonic()
        try:
            yield
        finally:
            self._spend(principal, (self._monotonic() - begun) * PER_SECOND)

    @asynccontextmanager
    async def turn(
        self, principal: Principal | None, *, event: bool = False
    ) -> AsyncIterator[None]:
        """Runs the block when it is its turn among all the tenant's.

        :raises Rejected: 429, too many of the tenant's operations wait
        """
        try:
            async with self._turns.turn(_group(principal), event=event):
                yield
        except Full:
            raise self._too_fast(principal, 1) from None

    @contextmanager
    def socket(self, principal: Principal) -> Iterator[bool]:
        """Counts a socket while the block runs. False: the tenant has as many as it may."""
        group = _group(principal)
        self._sockets[group] += 1
        try:
            yield self._sockets[group] <= self._numbers.sockets
        finally:
            self._sockets[group] -= 1
            if not self._sockets[group]:
                del self._sockets[group]

    def _spend(self, principal: Principal | None, units: float) -> None:
        now = self._monotonic()
        for buckets, key in self._buckets(principal):
            buckets.spend(key, units, now)

    def _buckets(self, principal: Principal | None) -> Iterator[tuple[Buckets, Hashable]]:
        yield self._tenants, _group(principal)
        if principal is not None and principal.role is Role.MEMBER:
            yield self._members, (principal.tenant_id, principal.client)
        if principal is not None and principal.role is Role.PARTNER:
            yield self._partners, (principal.tenant_id, principal.client)

    def _too_fast(self, principal: Principal | None, seconds: int) -> Rejected:
        self._tell(_group(principal))
        return Rejected(
            429,
            EdgeCode.RATE_LIMITED,
            f"more than this server does for one caller; wait {seconds} s and send it again",
            retry_after=seconds,
        )

    def _tell(self, group: Hashable) -> None:
        now = self._monotonic()
        if now - self._told.get(group, -TOLD_SECONDS) >= TOLD_SECONDS:
            self._told = {g: at for g, at in self._told.items() if now - at < TOLD_SECONDS}
            self._told[group] = now
            log.warning("requests of %s are refused: more than its share", group)


def _group(principal: Principal | None) -> Hashable:
    """Whose turn and whose rate it is: strangers share one, and so do operators."""
    if principal is None:
        return STRANGERS
    return OPERATORS if principal.role is Role.OPERATOR else principal.tenant_id
