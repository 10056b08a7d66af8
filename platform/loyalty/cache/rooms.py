"""The channels somebody in this process listens to."""

from dataclasses import dataclass

from loyalty.cache.subscription import Closing, Subscription


@dataclass(slots=True)
class HubCounts:
    """What happened since the process started. `slow`: subscriptions closed for not reading."""

    delivered: int = 0
    slow: int = 0
    unpublished: int = 0
    connects: int = 0


class Rooms:
    """Subscriptions by the name of their channel."""

    def __init__(self) -> None:
        self.counts = HubCounts()
        self._rooms: dict[str, set[Subscription]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._rooms

    @property
    def names(self) -> set[str]:
        return set(self._rooms)

    def join(self, subscription: Subscription) -> bool:
        """Whether the subscription is the first of its channel."""
        room = self._rooms.setdefault(subscription.name, set())
        room.add(subscription)
        return len(room) == 1

    def leave(self, subscription: Subscription) -> bool:
        """Whether the subscription was the last of its channel. Leaving twice is nothing."""
        room = self._rooms.get(subscription.name, set())
        if subscription not in room:
            return False
        room.remove(subscription)
        if room:
            return False
        del self._rooms[subscription.name]
        return True

    def deliver(self, name: str, payload: bytes) -> list[Subscription]:
        """Offer a message to all of a channel; answers those who were too slow to take it."""
        slow = []
        for subscription in self._rooms.get(name, ()):
            if subscription.offer(payload):
                self.counts.delivered += 1
            else:
                slow.append(subscription)
        self.counts.slow += len(slow)
        return slow

    def close(self) -> None:
        for room in self._rooms.values():
            for subscription in room:
                subscription.close(Closing.HUB_CLOSED)
        self._rooms.clear()
