"""Stripe's signature of a webhook: `Stripe-Signature: t=<unix time>,v1=<hex>,…`.

`v1` is the HMAC-SHA256 of `<t>.<body>` under the endpoint's secret; while a secret is rolled there
may be several. How old `t` is does not matter here: an event counts once, whoever sends it again.
"""

import hmac
from collections.abc import Iterator, Mapping

HEADER = "stripe-signature"
SECRETS = ("stripe_webhook_secret", "stripe_previous_webhook_secret")
SIGNATURES_MAX = 20


def signed(headers: Mapping[str, str], raw: bytes, secrets: Mapping[str, str]) -> bool:
    """Whether one of the program's secrets signed this body."""
    parts = [part.partition("=") for part in headers.get(HEADER, "").split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"][:SIGNATURES_MAX]
    if not stamps or not (stamps[0].isascii() and stamps[0].isdecimal()):
        return False
    good = False
    for expected in _expected(stamps[0], raw, secrets):
        for one in given:  # all of them are looked at: how long it takes tells nothing
            good |= hmac.compare_digest(expected.encode(), one.encode())
    return good


def _expected(stamp: str, raw: bytes, secrets: Mapping[str, str]) -> Iterator[str]:
    for name in SECRETS:
        if secret := secrets.get(name):
            yield hmac.new(secret.encode(), stamp.encode() + b"." + raw, "sha256").hexdigest()
