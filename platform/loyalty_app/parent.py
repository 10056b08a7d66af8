"""A child process of `loyalty up` ends with it, even when `up` is killed without a word.

`up` holds the other end of the child's standard input and never writes to it: when that end closes,
`up` is gone. Works wherever there are pipes, and asks nothing of the commands that run as children.
"""

import os
import signal
import threading
import time

MARK = "LOYALTY_CHILD_OF_UP"
GRACE_SECONDS = 10.0


def end_with_parent() -> None:
    """Watch the parent, where there is one. Called once, first thing in `main`."""
    if os.environ.pop(MARK, None):
        threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
