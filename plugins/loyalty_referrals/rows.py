"""What the plugin keeps in tables of its own, as rules see it and write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty_referrals.guards import Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """An order that would qualify its friend if the one that does came back."""

    key: str
    fact_id: UUID | None
    at: datetime
    goods: int
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A friend and who brought them, as it is from now on.

    `key` names the settlement that qualified the friend (None: not yet, or not any more), with its
    fact, the instant of the order, what the order's products came to, what must be left of them,
    and when both sides can use what they have. A fact is None until its settlement is written.
    """

    id: UUID
    referrer: UUID
    code: str
    via: str
    attributed_at: datetime
    open_until: datetime | None
    verdict: Verdict = Verdict.CLEAR
    reasons: tuple[str, ...] = ()
    key: str | None = None
    fact_id: UUID | None = None
    qualified_at: datetime | None = None
    pays_at: datetime | None = None
    goods: int = 0
    least: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_why: str | None = None
    spares: tuple[Spare, ...] = ()

    @property
    def own_code(self) -> bool:
        """Whether it only says that a member named their own code: another may still count."""
        return self.reasons == (Reason.SAME_MEMBER,) and self.verdict is Verdict.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Which code was named `now`, and whose it is (None: nobody's that counts).

    `elsewhere`: it came with an enrolment or order that all programs look at, and is another one's.
    `failed` says of those on whose behalf a code is claimed how many they named in this hour that
    are none, also in this very batch.
    """

    referrer: UUID | None
    code: str
    now: datetime
    elsewhere: bool = False
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        """Whether it counts as one that is none."""
        return self.referrer is None and not self.elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a referral's two members: shared kinds of signals, the referrer's friends
    in the time that velocity looks at, the members in a ring."""

    shared: tuple[str, ...] = ()
    recent: int = 0
    ring: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """A referrer's part in a friend: whether it stands, and by which settlement."""

    friend: UUID
    key: str
    stands: bool
    goods: int = 0
    least: int = 0
    pays_at: datetime
    cut: str | None = None
    change: int = field(default=0, compare=False)  # by how many more friends stand now


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A referrer's step of the ladder: whether it stands, and by which settlement."""

    step: str
    key: str
    stands: bool
    pays_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Where a referrer stands before the batch: friends, and the steps by their ids.

    `windows` are when the return windows close that are still open, the earliest first; `side` and
    `step` are those that a reversed settlement made.
    """

    friends: int = 0
    windows: tuple[datetime, ...] = ()
    steps: Mapping[str, StepRow] = field(default_factory=dict)
    side: SideRow | None = None
    step: StepRow | None = None

    def closed_at(self, friends: int, otherwise: datetime) -> datetime:
        """When the return windows of so many friends will have closed; `otherwise` where they have
        already."""
        waiting = friends - (self.friends - len(self.windows))
        return self.windows[waiting - 1] if waiting > 0 else otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who has a code that a member wishes for (None: nobody), whether of this program, and how many
    the member wished for before."""

    holder: UUID | None
    here: bool
    had: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """The member has a code from now on: one by chance, or one that they wished for, as it is
    printed."""

    vanity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """The member handed on their code once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """A hash that the member was seen with."""

    kind: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRow:
    """The member was a rewarded friend of a referrer, and is erased: what they were seen with, of
    these kinds, is compared until then."""

    referrer: UUID
    kinds: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenRow:
    """What was remembered until an instant is over."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRow:
    """A code that is none was named at an instant, by each of these callers."""

    callers: tuple[str, ...]
    at: datetime
