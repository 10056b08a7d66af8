"""Websockets as uvicorn speaks them, with a bound on the pieces of a message.

How long a message may be is bounded; of how many pieces, empty ones too, is not.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

PIECES_MAX = 1_000


class BoundedSocket(WebSocketsSansIOProtocol):
    """Closes a socket with 1009 on which a message comes in more than PIECES_MAX pieces."""

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > PIECES_MAX and not self.close_sent:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many pieces")
            self.handle_parser_exception()
