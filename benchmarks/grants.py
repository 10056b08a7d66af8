"""What programs give for the basket that is bought, as the decision says it.

The base rate is worked out as somebody would who has this one program; what the other rules of
`rules.many_rules` give for `goods.lines` is worked out here once and for all.
"""

from collections.abc import Callable, Sequence
from typing import Any

Grant = dict[str, Any]
Give = Callable[[dict[str, Any], dict[str, Any]], Sequence[Grant]]
"""Grants of a purchase as it was sent and as it is kept, less program, owner and lot."""

CONSTANT = {"program": "points", "version": 1, "stage": "BASE", "unit": "points", "back": "deficit"}


def of_one_rule(sent: dict[str, Any], kept: dict[str, Any]) -> Sequence[Grant]:
    return (_base(sent, kept),)


def of_twenty_rules(sent: dict[str, Any], kept: dict[str, Any]) -> Sequence[Grant]:
    return (_base(sent, kept), *AISLES)


def _base(sent: dict[str, Any], kept: dict[str, Any]) -> Grant:
    amount = kept["total"] // 100
    return {
        **CONSTANT, "rule": "base", "label": "1 point per dollar", "class": "MATERIAL_RIGHT",
        "wanted": amount, "granted": amount,
        "lines": {line["id"]: line["amount"] // 100 for line in kept["lines"]},
        "inputs": {"currency": "USD", "base": "net", "amount": sent["total"], "points": "1",
                   "per": "1.00"},
    }  # fmt: skip


def _aisle(number: int, line: str, price: str, total: str, granted: int) -> Grant:
    rated = {f"grocery/aisle-{number}": {"amount": price, "points": "0.5"}}
    return {
        **CONSTANT, "rule": f"aisle-{number}", "label": f"Aisle {number}", "class": "MARKETING",
        "wanted": granted, "granted": granted, "lines": {line: granted},
        "inputs": {"currency": "USD", "base": "net", "amount": total, "per": "1.00",
                   "categories": rated},
    }  # fmt: skip


AISLES = (_aisle(3, "4", "4.99", "19.95", 2), _aisle(4, "5", "5.99", "19.95", 2))
