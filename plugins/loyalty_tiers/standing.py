"""A member's standing on a ladder: which tier, since when, until when, and by what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from loyalty.days import iso
from loyalty_tiers.periods import Window

EMPTY: Mapping[str, int] = {}


class Reason(StrEnum):
    """Why a member has the tier that they have."""

    START = "START"  # everybody's from the start
    REACHED = "REACHED"
    KEPT = "KEPT"
    LIFETIME = "LIFETIME"
    IN_GRACE = "IN_GRACE"  # not kept, and not lost yet
    NOT_KEPT = "NOT_KEPT"
    SOFT_LANDING = "SOFT_LANDING"
    CHALLENGE = "CHALLENGE"  # a challenge was met, or is under way
    CHALLENGE_FAILED = "CHALLENGE_FAILED"
    SET = "SET"  # by staff
    INVITED = "INVITED"
    RETURNED = "RETURNED"  # what it was reached by came back
    NEW_RULES = "NEW_RULES"  # the ladder's config changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a tier was reached or kept by: the periods that `at` falls into, or a window of its own
    whose first day had `less` before."""

    at: datetime
    window: Window | None = None
    less: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A challenge that was given as a reward, and begins at `at`."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A challenge under way: `less` is what was counted before it began, that day or ever.
    `given`: it is a reward, and goes with what it was given for."""

    id: str
    since: datetime
    until: datetime
    less: Mapping[str, int]
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`tier` is an id (None: none), which the member has since `since`.

    `reached_at` is when its validity began, `until` when that ends (None: no end is known); in its
    grace the tier stays until `ends_at`. `less` is what the day of `reached_at` had by then.
    `challenge` is one under way, `taken` how often each was taken, `offers` are those that are to
    begin yet. `rise_at` is when a better tier begins that was reached. At `then_at` the tier is
    `then`, if nothing more is counted by then; `plan` is what others were told of the time after
    `since`.
    `due_at` is when to look at it again, `version` how often it was written: what came late has it
    looked at as of one instant twice.
    """

    tier: str | None
    since: datetime
    reached_at: datetime
    reason: Reason
    until: datetime | None = None
    ends_at: datetime | None = None
    less: Mapping[str, int] = field(default_factory=dict)
    basis: Basis | None = None
    rise_at: datetime | None = None
    challenge: Taken | None = None
    taken: Mapping[str, int] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    landed: bool = False
    locked: bool = False
    note: str = ""
    then_at: datetime | None = None
    then: str | None = None
    plan: tuple[tuple[datetime, str | None], ...] = ()
    due_at: datetime | None = None
    fingerprint: str = ""
    version: int = field(default=0, compare=False)

    @property
    def in_grace(self) -> bool:
        return self.ends_at is not None

    def plain(self) -> dict[str, Any]:
        """What the table has no column for, as JSON."""
        basis, challenge = self.basis, self.challenge
        found = {
            "reachedAt": iso(self.reached_at),
            "endsAt": iso(self.ends_at),
            "less": dict(self.less),
            "riseAt": iso(self.rise_at),
            "landed": self.landed,
            "taken": dict(self.taken),
            "challenge": challenge and {
                "id": challenge.id, "since": iso(challenge.since), "until": iso(challenge.until),
                "less": dict(challenge.less), "given": challenge.given,
            },
            "offers": [[one.id, iso(one.at)] for one in self.offers],
            "locked": self.locked,
            "note": self.note,
            "version": self.version,
            "thenAt": iso(self.then_at),
            "then": self.then,
            "plan": [[iso(at), tier] for at, tier in self.plan],
            "basis": basis and {
                "at": iso(basis.at), "less": dict(basis.less),
                "window": basis.window and [iso(one) for one in basis.window],
            },
        }  # fmt: skip
        return {key: value for key, value in found.items() if value}

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> "Standing":
        plain = row["detail"]
        return cls(
            tier=row["tier"],
            since=row["since"],
            reached_at=_at(plain["reachedAt"]),
            reason=Reason(row["reason"]),
            until=row["until"],
            ends_at=_maybe(plain, "endsAt"),
            less=plain.get("less", EMPTY),
            basis=_basis(plain.get("basis")),
            rise_at=_maybe(plain, "riseAt"),
            challenge=_taken(plain.get("challenge")),
            taken=plain.get("taken", EMPTY),
            offers=tuple(Offer(id=one, at=_at(at)) for one, at in plain.get("offers", ())),
            landed=plain.get("landed", False),
            locked=plain.get("locked", False),
            note=plain.get("note", ""),
            version=plain.get("version", 0),
            then_at=_maybe(plain, "thenAt"),
            then=plain.get("then"),
            plan=tuple((_at(at), tier) for at, tier in plain.get("plan", ())),
            due_at=row["due_at"],
            fingerprint=row["fingerprint"],
        )


def _basis(plain: Mapping[str, Any] | None) -> Basis | None:
    if plain is None:
        return None
    window = plain.get("window")
    return Basis(
        at=_at(plain["at"]),
        window=Window(*map(_at, window)) if window else None,
        less=plain.get("less", EMPTY),
    )


def _taken(plain: Mapping[str, Any] | None) -> Taken | None:
    if plain is None:
        return None
    return Taken(
        id=plain["id"], since=_at(plain["since"]), until=_at(plain["until"]), less=plain["less"],
        given=plain.get("given", False),
    )  # fmt: skip


def _maybe(plain: Mapping[str, Any], key: str) -> datetime | None:
    return _at(plain[key]) if plain.get(key) else None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
