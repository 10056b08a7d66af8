"""A worker's post office that dies: run as a process by `test_webhook_kills.py`.

    python mortal_post.py <after_claim | after_send | never> <letters>

It is put together of what `loyalty worker` runs, and kills itself at the given point of the given
letter: after the claim and before anything is sent, or after the answer and before it is noted.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import datetime, timedelta

from loyalty.clock import SystemClock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty_app.installed import installed
from loyalty_app.settings import Settings
from loyalty_app.webhooks import reach
from loyalty_tenants.egress_client import EgressClient
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.pauses import Pauses
from loyalty_tenants.webhooks.post import Post
from loyalty_tenants.webhooks.queue import Answer, Letter, Queue
from loyalty_tenants.webhooks.sender import Sender
from loyalty_tenants.webhooks.topics import Topics

LEASE = timedelta(seconds=1)  # what a dead worker held is another's soon


class Mortal:
    """Sends, until its time has come."""

    def __init__(self, sender: Sender, where: str, letters: int) -> None:
        self._sender = sender
        self._where = where
        self._left = letters

    async def send(self, letter: Letter, now: datetime) -> Answer:
        self._left -= 1
        dying = self._left == 0
        if dying and self._where == "after_claim":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await self._sender.send(letter, now)
        if dying and self._where == "after_send":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


async def main(where: str, letters: int) -> None:
    settings, clock, stopping = Settings.load(), SystemClock(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    database = await Database.open(settings.need("worker_database_url"), size=5)
    client = EgressClient(reach(settings))
    sender = Mortal(Sender(client, seconds=5), where, letters)
    queue = Queue(database, Pauses(pace=settings.webhook_pace), lease=LEASE)
    outbox = Outbox(database, FanOut(Topics(PluginSet(installed())), clock))
    with suppress(asyncio.CancelledError):
        await asyncio.gather(outbox.run(stopping), Post(queue, sender, clock).run(stopping))
    await client.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
