"""Codes by which a member proves that an account at the partner is theirs.

Twenty letters and digits without those that look alike: 100 bits, which nobody guesses.
"""

import secrets
from hashlib import sha256

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 20
GROUP = 5


def draw_code() -> str:
    """A new code, in groups that people can read out."""
    letters = [secrets.choice(ALPHABET) for _ in range(LENGTH)]
    return "-".join("".join(letters[n : n + GROUP]) for n in range(0, LENGTH, GROUP))


def hash_of(code: str) -> bytes:
    """What is kept of a code, however it was typed."""
    return sha256("".join(code.upper().split()).replace("-", "").encode()).digest()
