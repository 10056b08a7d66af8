"""Whose account: a member's own, or that of another owner which a plugin knows."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.connection import Connection

MEMBER = "MEMBER"
OF_THE_KERNEL = frozenset({MEMBER, "PROGRAM", "TENANT"})
_KIND = re.compile(r"[A-Z][A-Z_]{1,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who holds value and is no member: a household, a company. `kind` is its plugin's.

    :raises ValueError: the kind is the kernel's own, or not 2 to 40 of A-Z and _
    """

    kind: str
    id: UUID

    def __post_init__(self) -> None:
        if self.kind in OF_THE_KERNEL or not _KIND.fullmatch(self.kind):
            raise ValueError(f"{self.kind!r} is no kind of owner that a plugin may have")

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


Holder = UUID | Owner
"""Who has an account: a member, by id, or another owner. As text, `str(holder)`."""


def kind_and_id(holder: Holder) -> tuple[str, UUID]:
    """As accounts are stored."""
    return (MEMBER, holder) if isinstance(holder, UUID) else (holder.kind, holder.id)


def holder_of(kind: str, ident: UUID) -> Holder:
    return ident if kind == MEMBER else Owner(kind, ident)


def parsed(text: str) -> Holder:
    """The holder that `str` wrote.

    :raises ValueError: it is none
    """
    kind, colon, ident = text.rpartition(":")
    return Owner(kind, UUID(ident)) if colon else UUID(text)


Question = tuple[UUID, str]
"""A member's id and the code of a unit: who keeps it for them?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersAsked:
    """What a batch asks on behalf of one program: each member it is about, in each unit."""

    program: str
    program_id: UUID
    config: Any
    questions: Sequence[Question]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerResolver:
    """Whose account a member's unit is kept in, where it is not the member's own.

    `resolve` runs once per batch for every program of the plugin that is in force now, inside the
    tenant's transaction and before anything is locked. It answers what it knows; no answer is the
    member's own account. The answer holds for the whole batch and for every program: what is
    granted, spent and corrected there, and what rules see. Two programs that answer differently
    fail the facts about that member. A change of the plugin's tables that commits after the answer
    counts from the next batch on, and what was granted before stays where it is: returns, holds and
    expiry know the account that they began with.

    `kinds` are the kinds of owners that it may answer with; no other plugin has one of them. A
    member is never the answer: what belongs to another member is a follow-on fact or a pair.
    """

    kinds: tuple[str, ...]
    resolve: Callable[[Connection, OwnersAsked], Awaitable[Mapping[Question, Owner]]]
