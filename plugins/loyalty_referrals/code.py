"""Referral codes: how they are written, and which text means which code.

The alphabet is Crockford's base 32: without I, L, O and U, so that no two of its characters look
alike. Twelve of them carry 60 bits. Whoever types a letter that is left out is understood all the
same: what looks like a digit is read as one.
"""

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
BITS = 5 * LENGTH
GROUP = 4
VANITY_MIN, VANITY_MAX = 5, 20
TYPED_MAX = 64

_READ_AS = str.maketrans("OIL", "011", " -_")
_CODE = re.compile(r"[0-9A-Z]{1,24}", re.ASCII)


def code_of(bits: int) -> str:
    """The code that 60 random bits make."""
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(BITS - 5, -5, -5))


def read(typed: str) -> str:
    """The code that is meant, as it is kept: in capitals, without blanks and dashes, with digits
    for the letters that look like them. Text that can be no code is read as the empty code, which
    nobody has."""
    found = typed.strip().upper().translate(_READ_AS) if len(typed) <= TYPED_MAX else ""
    return found if _CODE.fullmatch(found) else ""


def shown(code: str) -> str:
    """A code as it is printed: `7K3D-M9QX-2BFT`. What somebody chose stays in one piece."""
    if len(code) != LENGTH or any(letter not in ALPHABET for letter in code):
        return code
    return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def wished(typed: str) -> str:
    """A code of somebody's choice as it is printed: in capitals, with the letters as they were
    typed, each run of blanks and dashes as one dash: `ADA-RULES`."""
    return "-".join(re.split(r"[\s_-]+", typed.upper())).strip("-")


def vanity_fault(wanted: str) -> str | None:
    """Why a text cannot be a code of somebody's choice, in words; None where it can."""
    code = read(wanted)
    if not VANITY_MIN <= len(code) <= VANITY_MAX:
        return f"must have {VANITY_MIN} to {VANITY_MAX} letters and digits, such as ANNA-RUNS"
    if code.isdigit():
        return "must have a letter in it, or it is taken for a number of something else"
    return None
