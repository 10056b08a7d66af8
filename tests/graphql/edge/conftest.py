"""The small schema, the edge over it, and peers of its sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from loyalty_graphql.admission import Admission, Allowances
from loyalty_graphql.compose import ComposedSchema, Core, compose
from loyalty_tenants.principal import Role

from .client import Edge, principal
from .peer import Peer
from .rationing import Clock
from .sample import NOON, Mutation, Query, Subscription


@pytest.fixture(scope="session")
def schema() -> ComposedSchema:
    return compose(Core(query=[Query], mutation=[Mutation], subscription=[Subscription]))


@pytest.fixture
def edge(schema: ComposedSchema) -> Edge:
    made = Edge(schema)
    made.callers = {
        "service": principal(),
        "admin": principal(Role.ADMIN),
        "member": principal(Role.MEMBER, "self:read"),
        "narrow": principal(Role.SERVICE, "purchases:read"),
        "expiring": replace(principal(), expires_at=NOON.replace(second=30)),
    }
    return made


Connect = Callable[..., Peer]


@pytest.fixture
async def connect(edge: Edge) -> AsyncIterator[Connect]:
    peers: list[Peer] = []

    def open_peer(**scope: Any) -> Peer:
        peers.append(Peer(edge.endpoint(), **scope))
        return peers[-1]

    yield open_peer
    for peer in peers:
        peer.reads.set()
        peer.leave()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(peer.app, 5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_admission(clock: Clock) -> Any:
    def admission(**numbers: Any) -> Admission:
        return Admission(Allowances(**numbers), monotonic=clock)

    return admission
