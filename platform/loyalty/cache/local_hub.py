"""Hints within one process, where there is no Redis to carry them further."""

from collections.abc import Sequence
from uuid import UUID

from loyalty.cache.names import EVERY_TENANT, channel_name
from loyalty.cache.rooms import Rooms
from loyalty.cache.subscription import BUFFER_MAX, Closing, Subscription


class LocalHub:
    """The hub that is switched off: who subscribes in this process hears this process only."""

    def __init__(self, *, buffer_max: int = BUFFER_MAX) -> None:
        self._buffer_max = buffer_max
        self._rooms = Rooms()
        self.counts = self._rooms.counts
        self._closed = False

    async def publish(self, tenant: UUID, channel: str, payload: bytes) -> bool:
        return self._publish(channel_name(tenant, channel), payload)

    async def publish_many(self, tenant: UUID, hints: Sequence[tuple[str, bytes]]) -> bool:
        for channel, payload in hints:
            self._publish(channel_name(tenant, channel), payload)
        return True

    def subscribe(self, tenant: UUID, channel: str) -> Subscription:
        return self._subscription(channel_name(tenant, channel))

    async def publish_config(self, tenant: UUID) -> bool:
        return self._publish(EVERY_TENANT, str(tenant).encode())

    def subscribe_config(self) -> Subscription:
        return self._subscription(EVERY_TENANT)

    async def close(self) -> None:
        self._closed = True
        self._rooms.close()

    def _publish(self, name: str, payload: bytes) -> bool:
        for subscription in self._rooms.deliver(name, payload):
            self._rooms.leave(subscription)
        return True

    def _subscription(self, name: str) -> Subscription:
        return Subscription(name, enter=self._enter, leave=self._leave, buffer_max=self._buffer_max)

    async def _enter(self, subscription: Subscription) -> None:
        if self._closed:
            subscription.close(Closing.HUB_CLOSED)
            return
        self._rooms.join(subscription)

    def _leave(self, subscription: Subscription) -> None:
        self._rooms.leave(subscription)
