"""The watchdog: a process whose event loop does not come round is ended, and told why.

Rules run in the loop, so one that never returns would keep the process from everything else. Its
transaction dies with the connection: nothing was written, and its key stays free.

A thread counts its own turns. Each time the loop comes round the count begins anew; when it reaches
`TURNS`, the loop was stuck all that while. A process that was stopped, or a machine that slept,
stopped the thread as well: it wakes to one more turn, whatever the clocks say. A loop that waits
for a slow database comes round.

The thread needs the interpreter. Code in C that never gives it back (an expression that a regular
expression backtracks over for ever) is ended by a timer of processor time and its signal, SIGPROF,
whose handler needs nothing.
"""

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from loyalty.agenda import Turn
from loyalty.facts import Fact

EXIT_CODE = 70  # EX_SOFTWARE; a child that ended so was ended by its watchdog
SIGNAL = signal.SIGPROF
TURNS = 10
TELLING_SECONDS = 2.0
log = logging.getLogger(__name__)


@contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """Watch the running loop: end the process when it does not come round for so long (0: never).

    To be entered in the main thread, by the task that lasts as long as the process.
    """
    if not seconds:
        yield
        return
    watched = _Watched(asyncio.get_running_loop(), seconds)
    watched.begin()
    try:
        yield
    finally:
        watched.end()


class _Watched:
    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._thread_of_loop = threading.get_ident()
        self._missed = 0
        self._ended = threading.Event()
        self._next: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        faulthandler.register(SIGNAL, all_threads=True, chain=True)
        self._come_round()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        if self._next is not None:
            self._next.cancel()
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(SIGNAL)

    def _come_round(self) -> None:
        self._missed = 0
        # Threads that work beside the loop use up processor time as well: twice the patience.
        signal.setitimer(signal.ITIMER_PROF, 2 * self._seconds)
        self._next = self._loop.call_later(self._seconds / TURNS, self._come_round)

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds / TURNS):
            self._missed += 1
            if self._missed > TURNS:
                self._give_up()

    def _give_up(self) -> NoReturn:
        # Telling may hang as well (nobody reads the log): it is given a while, and then left.
        telling = threading.Thread(target=self._tell, daemon=True)
        telling.start()
        telling.join(TELLING_SECONDS)
        os._exit(EXIT_CODE)

    def _tell(self) -> None:
        what = at_work(sys._current_frames().get(self._thread_of_loop))
        log.critical(
            "stuck for %g seconds%s: this process ends with exit code %d",
            self._seconds, f" in {what}" if what else "", EXIT_CODE,
        )  # fmt: skip
        faulthandler.dump_traceback(all_threads=True)


def at_work(frame: FrameType | None) -> str | None:
    """Which plugin's rule is at work on which kind of fact, if any is, by what the stack holds."""
    while frame is not None:
        turn, fact = frame.f_locals.get("turn"), frame.f_locals.get("fact")
        if isinstance(turn, Turn):
            rule = getattr(turn.reaction.decide, "__qualname__", turn.reaction.decide)
            kind = f" on {fact.KIND}" if isinstance(fact, Fact) else ""
            return f"the plugin {turn.plugin.name}, rule {rule}{kind} (program {turn.program.slug})"
        frame = frame.f_back
    return None
