"""HTTP as uvicorn speaks it, with a bound on the head of a request.

uvicorn on httptools keeps whatever headers come, for as long as they come, and strangers can send
them.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX = 32 * 1024


class _TooLarge(Exception):
    """Ends the parsing; the connection is answered 400 and closed."""


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 to a head of more than HEAD_MAX bytes, and hangs up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0  # bytes of the head that is being read
        self._untold = 0  # bytes that the parser took and said nothing about

    def data_received(self, data: bytes) -> None:
        self._untold += len(data)
        super().data_received(data)
        # A header that never ends is not told of, and kept by the parser.
        if self._untold > HEAD_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._untold = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._untold = 0
        super().on_message_complete()

    def _count(self, length: int) -> None:
        self._head += length
        if self._head > HEAD_MAX:
            raise _TooLarge
