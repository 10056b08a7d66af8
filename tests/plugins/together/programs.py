"""What the brand runs: points, a ladder with bonuses, cashback, a club that costs points."""

from typing import Any


def pointing(rate: str) -> dict[str, Any]:
    base = {
        "id": "base", "label": "Points", "accounting_class": "MATERIAL_RIGHT", "points": rate,
        "per": {"USD": "1.00"}, "categories": [{"category": "fuel", "points": "0.33"}],
    }  # fmt: skip
    promo = {
        "id": "promo", "label": "More", "accounting_class": "MARKETING",
        "bonus": {"factor": "1.5", "of": "granted"}, "include": {"categories": ["garden"]},
    }  # fmt: skip
    cap = {"points": "400", "period": "month"}
    return {"unit": "points", "rules": [base, promo], "caps": [cap]}


def summing(rate: str) -> dict[str, Any]:
    """The same by sums of a period: what a purchase gives depends on those before it."""
    by_day = {
        "id": "day", "label": "A day's levels", "accounting_class": "MARKETING",
        "per": {"USD": "10.00"}, "over": {"period": "day"},
        "levels": [{"from": "2", "points": "5"}, {"from": "12", "points": str(30 * int(rate))}],
    }  # fmt: skip
    whole = {
        "id": "tens", "label": "For each ten", "accounting_class": "MATERIAL_RIGHT",
        "points": rate, "per": {"USD": "7.00"}, "over": {"period": "month"},
    }  # fmt: skip
    return {"unit": "points", "rules": [whole, by_day]}


def climbing(silver: str, gold: str) -> dict[str, Any]:
    def bonus(name: str, factor: str) -> list[dict[str, Any]]:
        return [{
            "id": name, "label": name, "accounting_class": "MARKETING", "unit": "points",
            "bonus": {"factor": factor},
        }]  # fmt: skip

    return {
        "metrics": [
            {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"},
            {"id": "visits", "label": "Visits", "count": "visits"},
            {"id": "earned", "label": "Earned", "count": "points", "unit": "points",
             "programs": ["points"]},
        ],
        "period": {"kind": "calendar", "months": 3},
        "validity": {"lasts": "while_met"},
        "on_return": "revoke",
        "tiers": [
            {"id": "basic", "label": "Basic"},
            {"id": "silver", "label": "Silver", "qualify": [{"needs": {"spend": silver}}],
             "bonuses": bonus("silver-bonus", "1.1")},
            {"id": "gold", "label": "Gold",
             "qualify": [{"needs": {"spend": gold, "visits": "3"}}, {"needs": {"earned": "250"}}],
             "bonuses": bonus("gold-bonus", "1.25")},
        ],
    }  # fmt: skip


def backing(rate: str) -> dict[str, Any]:
    return {
        "unit": "USD", "currency": "USD",
        "rules": [
            {"id": "back", "label": "Back", "percent": rate, "rounding": "half_up",
             "caps": [{"points": "30.00", "period": "month"}]},
            {"id": "gold", "label": "For gold", "percent": "1.5", "promotion": True,
             "when": '"gold" in member.tiers'},
        ],
        "payout": {"on_request": {}, "checkout": None},
        "terms": {"pending_days": 10},
    }  # fmt: skip


CLUB = {
    "unit": "points",
    "plans": [{
        "id": "club", "label": "Club", "period": "P1M", "prices": [{"points": "20"}],
        "gifts": [{"id": "monthly", "label": "Monthly", "points": "5", "given_with": "each"}],
    }],
    "rules": [{
        "id": "boost", "label": "Club doubles", "accounting_class": "SUBSCRIPTION_BENEFIT",
        "bonus": {"factor": "2"},
    }],
}  # fmt: skip
