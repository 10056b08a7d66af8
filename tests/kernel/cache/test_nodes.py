from uuid import UUID

import pytest
from redis.crc import key_slot

from loyalty.cache.cluster import Cluster, way_to
from loyalty.cache.connection import Link
from loyalty.cache.names import channel_name
from loyalty.cache.nodes import named_nodes, nobody, owners_of, slot_of, url_of

URL = "redis+cluster://ada:s%40cret@one:7000,[::1]:7001,three?ssl_ca_certs=/ca.pem"


def test_a_url_names_some_nodes_and_says_how_to_speak_to_all() -> None:
    assert named_nodes(URL) == [("one", 7000), ("::1", 7001), ("three", 6379)]
    assert url_of(URL, ("four", 7)) == "redis://ada:s%40cret@four:7?ssl_ca_certs=/ca.pem"
    assert url_of("rediss+cluster://one", ("::2", 7)) == "rediss://[::2]:7"


@pytest.mark.parametrize(
    "url", ["redis+cluster://", "redis+cluster://:7000", "redis+cluster://a:b"]
)
def test_a_url_without_nodes_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"cluster's nodes|Port|port"):
        way_to(url)


def test_the_scheme_says_whether_it_is_a_cluster() -> None:
    assert isinstance(way_to("redis+cluster://one:7000"), Cluster)
    assert isinstance(way_to("redis://one:7000/3"), Link)


def test_a_tenants_slot_is_that_of_its_names() -> None:
    tenant = UUID(int=7)
    assert slot_of(tenant) == key_slot(channel_name(tenant, "config").encode())


def test_the_layout_is_what_the_node_says_and_else_what_it_was() -> None:
    before = nobody()
    before[16_383] = ("gone", 1)
    said = [
        [0, 99, [b"10.0.0.1", 7000, b"id", {}], [b"10.0.0.9", 7000, b"its replica", {}]],
        [100, 100, [None, 7001, b"id", {}]],
        [101, 16_382, [b"", 7002, b"id", {}]],
    ]

    owners = owners_of(said, ("asked", 1), before)

    assert owners[0] == owners[99] == ("10.0.0.1", 7000)
    assert owners[100] == ("asked", 7001)
    assert owners[101] == owners[16_382] == ("asked", 7002)
    assert owners[16_383] == ("gone", 1)
    assert before[0] is None
