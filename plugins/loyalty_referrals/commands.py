"""What members and tenants ask of a referral program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from loyalty.commands import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCode(Command):
    """A member hands on their code; `vanity` is one that they wish for."""

    KIND: ClassVar[str] = "referrals.code_shared/1"
    program: str
    vanity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCode(Command):
    """A new member names the code of whoever brought them.

    `code` is as it is kept; `signals` are hashes by kind; `client` is who asks for the member.
    """

    KIND: ClassVar[str] = "referrals.code_claimed/1"
    program: str
    code: str
    client: str
    signals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReferral(Command):
    """An admin's word about a referral that guards noticed: the member is the friend."""

    KIND: ClassVar[str] = "referrals.reviewed/1"
    program: str
    release: bool
    reason: str
    by: str
