"""TCP ports: is one free, and one that is."""

import errno
import random
import socket
import time

from loyalty_app.problem import Problem

PAUSE_SECONDS = 0.1
# Below those that Linux gives to whoever connects somewhere, one of them at any moment.
FIRST, END = 20_000, 32_768


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that still lingers from the last run is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Problem(
                f"Cannot listen on {host}:{port} ({error.strerror})",
                "Set LOYALTY_HOST and LOYALTY_PORT to an address of this machine and a port above "
                "1023",
            ) from None
    return True


def require_free(host: str, port: int, *, setting: str, patience: float = 0.0) -> None:
    """Refuse a port that stays taken for `patience` seconds.

    :raises Problem: naming the port and the setting that moves it
    """
    deadline = time.monotonic() + patience
    while not is_free(host, port):
        if time.monotonic() >= deadline:
            raise Problem(
                f"Port {port} on {host} is taken by another program",
                f"Stop that program, or choose another port with {setting}, "
                f"for example {setting}={port + 1}",
            )
        time.sleep(PAUSE_SECONDS)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago: whoever takes it must be ready to try another."""
    for port in random.SystemRandom().sample(range(FIRST, END), 100):
        if is_free(host, port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
