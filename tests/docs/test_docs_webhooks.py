"""The receiver of the guide: run as it stands there, against what we sign and what we do not."""

from datetime import UTC, datetime
from typing import Any

from loyalty.ids import new_id
from loyalty_tenants.webhooks.signature import headers, new_secret, shown

from .page import ROOT, blocks


def test_the_receiver_of_the_guide_believes_us_and_nobody_else() -> None:
    (example,) = blocks(ROOT / "docs" / "webhooks.md", "python")
    known: dict[str, Any] = {}
    page: dict[str, Any] = {"remember": known.__setitem__}
    exec(example.text, page)
    secret, other, body = new_secret(), new_secret(), b'{"type":"x"}'
    ident, now = str(new_id()), int(datetime.now(UTC).timestamp())
    receive = page["receive"]

    assert receive(shown(secret), dict(headers(ident, now, body, [secret])), body) == 204
    assert receive(shown(secret), dict(headers(ident, now, body, [other, secret])), body) == 204
    assert known == {ident: {"type": "x"}}
    for given, said in (
        (headers(ident, now, body, [other]), body),
        (headers(ident, now, body, [secret]), body + b" "),
        ({**headers(str(new_id()), now, body, [secret]), "webhook-id": ident}, body),
        (headers(ident, now - 600, body, [secret]), body),
        (headers(ident, now + 600, body, [secret]), body),
        ({**headers(ident, now, body, [secret]), "webhook-signature": "v1,AAAA"}, body),
        ({**headers(ident, now, body, [secret]), "webhook-signature": "nonsense"}, body),
        ({}, body),
    ):
        assert receive(shown(secret), dict(given), said) == 401
