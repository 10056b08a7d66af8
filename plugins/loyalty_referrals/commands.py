"""What members and tenants ask of a referral program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from loyalty.commands import Command
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCode(Command):
    """A member hands on their code; `vanity` is one that they wish for."""

    KIND: ClassVar[str] = "referrals.code_shared/1"
    program: str
    vanity: str | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCode(Command):
    """A new member names the code of whoever brought them.

    `code` is as it is kept; `signals` are hashes by kind; `client` is who asks for the member.
    """

    KIND: ClassVar[str] = "referrals.code_claimed/1"
    program: str
    code: str = field(metadata=PERSONAL)
    client: str = field(metadata=PERSONAL)
    signals: Mapping[str, str] = field(default_factory=dict, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReferral(Command):
    """An admin's word about a referral that guards noticed: the member is the friend. It is heard
    when they left, and when the program is archived: what was held is somebody's all the same."""

    KIND: ClassVar[str] = "referrals.reviewed/1"
    COMPLETES: ClassVar[bool] = True
    program: str
    release: bool
    reason: str = field(metadata=PERSONAL)
    by: str
