"""This process connects to public addresses only, whatever name a tenant gives."""

from ipaddress import ip_address

import pytest

from loyalty_tenants.egress import Blocked, checked_address, is_public

PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "192.88.99.1",
    "198.18.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::1",
    "::",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
    "fec0::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "::1",
        "x" * 64 + ".com",
    ],
)
async def test_names_that_lead_inside_or_nowhere_are_blocked(host: str) -> None:
    with pytest.raises(Blocked):
        await checked_address(host, 443)


async def test_a_laptop_may_allow_itself() -> None:
    assert await checked_address("127.0.0.1", 80, anywhere=True) == "127.0.0.1"
