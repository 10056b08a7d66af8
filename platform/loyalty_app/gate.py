"""What stands between the event loop and the protocol of a connection, so that no peer has more of
the process than its turn.

The loop reads whatever has come, megabytes in one go, and uvicorn takes all that it is handed apart
at once: tens of thousands of requests, frames or pings, while nobody else is served. And what a
peer does not read it keeps for as long as that peer likes.
"""

import asyncio
import socket
import struct
from typing import Any

SIP = 8 * 1024  # bytes that a protocol is handed in one turn of the loop
UNREAD_SECONDS = 15.0
UNREAD_LEAST = 4 * 1024  # bytes that a slow peer takes in that time, or it is let go
_AT_ONCE = struct.pack("ii", 1, 0)  # the kernel drops what is unsent, too, and tells the peer


class Gate(asyncio.Protocol):
    """Hands on what comes in sips, one in each turn of the loop; nothing while the protocol asked
    for a pause, and nothing while the peer leaves unread what it was sent. A connection whose peer
    reads nearly nothing is ended."""

    def __init__(self, inner: asyncio.Protocol) -> None:
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._left = b""  # read, and not handed on yet
        self._paused = False  # by the protocol
        self._full = False  # of what the peer does not read
        self._next: asyncio.Handle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._heard_since = self._loop.time()

    @property
    def heard_seconds(self) -> float:
        """For how long the protocol has been handed whatever came: 0 while something may be here
        that it is not."""
        if self._paused or self._full or self._left:
            return 0.0
        return self._loop.time() - self._heard_since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._inner.connection_made(Doorway(transport, self))

    def data_received(self, data: bytes) -> None:
        if len(data) <= SIP and not self._left and not self._paused and not self._full:
            self._inner.data_received(data)
        else:
            self._left += data
            self._stop_reading()
            self._go_on()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = b""
        for waiting in (self._next, self._look):
            if waiting is not None:
                waiting.cancel()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._full = True
        self._stop_reading()
        self._expect_reading()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        if self._look is not None and not self._transport.is_closing():
            self._look.cancel()
            self._look = None
        self._inner.resume_writing()
        self._go_on()

    def pause(self) -> None:
        """The protocol wants nothing more for now."""
        self._paused = True
        self._stop_reading()

    def resume(self) -> None:
        self._paused = False
        self._go_on()

    def close(self) -> None:
        """When the peer has read what is left for it, or does not want to."""
        self._transport.close()
        self._expect_reading()

    def become(self, inner: asyncio.Protocol) -> None:
        """Another protocol goes on with the connection, as after an upgrade to a websocket."""
        self._inner = inner
        self.resume()

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _go_on(self) -> None:
        """Hand on what is left in the next turns; read on when nothing is."""
        if self._paused or self._full or self._next is not None or self._transport.is_closing():
            return
        if self._left:
            self._next = self._loop.call_soon(self._sip)
        else:
            self._heard_since = self._loop.time()
            self._transport.resume_reading()

    def _sip(self) -> None:
        self._next = None
        if not self._paused and not self._full and not self._transport.is_closing():
            sip, self._left = self._left[:SIP], self._left[SIP:]
            try:
                self._inner.data_received(sip)
            except BaseException:  # as the loop does with what it hands on itself
                self._transport.abort()
                raise
        self._go_on()

    def _expect_reading(self) -> None:
        left = self._transport.get_write_buffer_size()
        if left and self._look is None:
            self._look = self._loop.call_later(UNREAD_SECONDS, self._end_or_wait, left)

    def _end_or_wait(self, before: int) -> None:
        self._look = None
        if before - self._transport.get_write_buffer_size() < UNREAD_LEAST:
            if (own := self._transport.get_extra_info("socket")) is not None:
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._transport.abort()
        else:
            self._expect_reading()


class Doorway(asyncio.Transport):
    """The transport as the protocol sees it: reading and the end are the gate's, the rest is as it
    is."""

    def __init__(self, transport: asyncio.Transport, gate: Gate) -> None:
        super().__init__()
        self._transport = transport
        self._gate = gate
        self.is_closing = transport.is_closing  # type: ignore[method-assign]

    @property
    def heard_seconds(self) -> float:
        return self._gate.heard_seconds

    def write(self, data: Any) -> None:
        if not self.is_closing():  # uvloop would raise where the connection was just ended
            self._transport.write(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._gate.pause()

    def resume_reading(self) -> None:
        self._gate.resume()

    def close(self) -> None:
        self._gate.close()

    def abort(self) -> None:
        self._transport.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._gate.become(protocol)
