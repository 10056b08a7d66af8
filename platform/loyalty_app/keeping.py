"""LOYALTY_RETENTION: how long this installation keeps what is kept for a time."""

from collections.abc import Sequence

from loyalty.retention import Retention, Term, check
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_tenants.privacy.terms import TERMS

ALL_TERMS = {term.what: term for term in TERMS}


def given(settings: Settings) -> dict[str, int]:
    """The days that the setting says, by term.

    :raises Problem: it cannot be read, or names a term that does not exist or is too short
    """
    found = {}
    for part in filter(None, (one.strip() for one in (settings.retention or "").split(","))):
        what, _, days = (one.strip() for one in part.partition("="))
        try:
            check(ALL_TERMS, what, int(days))
        except ValueError as error:
            raise Problem(
                f"LOYALTY_RETENTION: {part!r}: {error}", "Write it as audit_trail=400,inbound=30"
            ) from None
        found[what] = int(days)
    return found


def retention(settings: Settings, terms: Sequence[Term]) -> Retention:
    """What the setting says of these terms."""
    names = {term.what for term in terms}
    return Retention(terms, {what: days for what, days in given(settings).items() if what in names})
