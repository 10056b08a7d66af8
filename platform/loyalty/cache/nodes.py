"""Which node of a Redis Cluster answers for which slot, as its addresses and CLUSTER SLOTS say."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

Address = tuple[str, int]
Owners = list[Address | None]
"""The node of each slot; None where nobody has said yet."""

SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
DEFAULT_PORT = 6379


def is_cluster(url: str) -> bool:
    return urlsplit(url).scheme in SCHEMES


def named_nodes(url: str) -> list[Address]:
    """The nodes that a `redis+cluster://user:password@host:port,host:port` names.

    :raises ValueError: there is none, or a port is no number
    """
    places = urlsplit(url).netloc.rpartition("@")[2].split(",")
    nodes = [urlsplit(f"//{place}") for place in places if place]
    found = [(node.hostname, node.port or DEFAULT_PORT) for node in nodes]
    if not found or not all(host for host, _ in found):
        raise ValueError("name the cluster's nodes as host:port, with commas between them")
    return [(host or "", port) for host, port in found]


def url_of(url: str, node: Address) -> str:
    """One node's own URL: same user, password and options as the cluster's."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host, port = node
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return urlunsplit(parts._replace(scheme=SCHEMES[parts.scheme], netloc=login + at + place))


def slot_of(tenant: UUID) -> int:
    """Every name of a tenant carries its id as hash tag (see names.py)."""
    return int(key_slot(str(tenant).encode(), REDIS_CLUSTER_HASH_SLOTS))


def nobody() -> Owners:
    return [None] * REDIS_CLUSTER_HASH_SLOTS


def owners_of(said: Iterable[Any], asked: Address, before: Owners) -> Owners:
    """What CLUSTER SLOTS answered: rows of first slot, last slot, primary and replicas.

    A node that gives no name of its own goes by that of the one that was asked; a slot that nobody
    serves keeps the owner it had.
    """
    owners = list(before)
    for first, last, (name, port, *_), *_ in said:
        host = name.decode() if isinstance(name, bytes) else name or ""
        owner = (host if host not in ("", "?") else asked[0], int(port))
        owners[first : last + 1] = [owner] * (last + 1 - first)
    return owners
