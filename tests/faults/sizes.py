"""How much of each fault: short for every change (`make faults`), long for a release (`make soak`).

One table, so that the long run is the short one and nothing else, only more of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    short: int
    long: int


SIZES: Mapping[str, Size] = {
    "kills of PostgreSQL": Size(3, 40),
    "kills of connections' processes": Size(2, 20),
    "cuts in a commit's answer": Size(10, 200),
    "freezes of PostgreSQL": Size(2, 10),
    "kills of API processes": Size(5, 50),
    "calls that hang up": Size(300, 3_000),
    "keys sent 64 times at once": Size(4, 200),
    "balances asked for 200 times at once": Size(2, 100),
    "seconds of refused commits": Size(4, 60),
    "deadlocks": Size(2, 30),
    "transactions about the same members": Size(1_100, 3_000),
    "webhook events": Size(700, 10_000),
    "kills of webhook workers": Size(30, 300),
    "clients at once": Size(200, 400),
    "seconds of a frozen Valkey": Size(30, 30),
    "seconds without Valkey": Size(4, 30),
    "reads beside late cache writes": Size(20_000, 100_000),
    "spoilt cache entries": Size(60, 600),
    "lots that end": Size(600, 6_000),
    "pauses of a worker": Size(2, 10),
    "deliveries of events": Size(5_000, 50_000),
    "migrations under load": Size(6, 20),
    "kills of a migrator": Size(8, 40),
    "made-up keys": Size(600, 5_000),
    "exchanges between brands": Size(300, 3_000),
    "kills of exchanging processes": Size(3, 10),
    "exchanges between installations": Size(40, 1_500),
    "deaths at each step": Size(1, 10),
    "megabytes to fill": Size(40, 200),
    "rolling restarts": Size(5, 20),
    "sockets in a restart": Size(50, 50),
    "slow clients": Size(200, 400),
    "sockets without a word": Size(200, 900),
    "messages on one socket": Size(1_000, 20_000),
}
# Seconds of undisturbed load before a fault and of recovery after it.
CLEAN_SECONDS = Size(1, 5)
RECOVERY_SECONDS = Size(1, 10)
