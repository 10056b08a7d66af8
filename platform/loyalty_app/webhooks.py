"""Webhooks put together: what the API accepts as an endpoint, and what a worker runs for them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty_app.keeping import retention
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_tenants.cleaning import TERMS, Cleaning
from loyalty_tenants.egress import Reach
from loyalty_tenants.egress_client import EgressClient
from loyalty_tenants.way_out import WayOut
from loyalty_tenants.webhooks.endpoints import Rules
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.pauses import Pauses
from loyalty_tenants.webhooks.post import Post
from loyalty_tenants.webhooks.queue import Queue
from loyalty_tenants.webhooks.sender import Sender
from loyalty_tenants.webhooks.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What a worker runs beside its duties: telling, sending, cleaning."""

    outbox: Outbox
    post: Post
    cleaning: Cleaning

    async def run(self, stopping: asyncio.Event) -> None:
        """Until stopped; what is being sent then is finished."""
        async with asyncio.TaskGroup() as group:
            for one in (self.outbox, self.post, self.cleaning):
                group.create_task(one.run(stopping))


def rules(settings: Settings, plugins: PluginSet) -> Rules:
    """What endpoints may be."""
    return Rules(topics=Topics(plugins), reach=reach(settings))


def reach(settings: Settings) -> Reach:
    """:raises Problem: the ports are no numbers"""
    try:
        ports = frozenset(int(port) for port in _listed(settings.webhook_ports))
    except ValueError:
        raise Problem(
            f"LOYALTY_WEBHOOK_PORTS is {settings.webhook_ports!r}", "Set it to numbers, as 443,8443"
        ) from None
    return Reach(ports=ports, trusted=frozenset(_listed(settings.webhook_trusted_hosts)))


def way_out(settings: Settings) -> WayOut:
    """The way that plugins are given: it leads wherever webhooks may go."""
    return WayOut(reach(settings), tls=_authorities(settings))


@asynccontextmanager
async def open_webhooks(
    settings: Settings, database: Database, plugins: PluginSet, clock: Clock
) -> AsyncIterator[Webhooks]:
    """Everything of a worker that webhooks need."""
    client = EgressClient(reach(settings), tls=_authorities(settings))
    try:
        yield Webhooks(
            outbox=Outbox(database, FanOut(Topics(plugins), clock)),
            post=Post(
                Queue(database, Pauses(pace=settings.webhook_pace)),
                Sender(client, seconds=settings.webhook_seconds),
                clock,
            ),
            cleaning=Cleaning(database, clock, retention(settings, TERMS)),
        )
    finally:
        await client.close()


def _authorities(settings: Settings) -> ssl.SSLContext | None:
    if settings.webhook_ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.webhook_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Problem(
            f"LOYALTY_WEBHOOK_CA_FILE cannot be read: {error}", "Name a file of PEM certificates"
        ) from None


def _listed(text: str | None) -> list[str]:
    return [one.strip().lower() for one in (text or "").split(",") if one.strip()]
