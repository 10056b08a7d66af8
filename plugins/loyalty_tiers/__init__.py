"""Tiers: ladders of standing that members climb by what they do, with benefits on each step."""
