"""Members hand on their codes. Pure."""

from collections.abc import Iterable

from loyalty.effects import Effect, Refuse, Write
from loyalty.errors import Code
from loyalty.view import View
from loyalty_referrals.code import wished
from loyalty_referrals.commands import ShareCode
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.needs import VANITY
from loyalty_referrals.rows import CodeRow, ShareRow, Wish


def share(config: ReferralsConfig, command: ShareCode, view: View) -> Iterable[Effect]:
    """The member has a code from now on, and one more of their choice where they wish for it."""
    if command.program != view.program or view.member is None:
        return
    yield Write(row=CodeRow())
    if command.vanity is not None:
        wish: Wish = view.needs[VANITY]
        if wish.holder != view.member.id or not wish.here:
            if (refusal := _may_not_have(config, wish, view)) is not None:
                yield refusal
                return
            yield Write(row=CodeRow(vanity=wished(command.vanity)))
    yield Write(row=ShareRow())


def _may_not_have(config: ReferralsConfig, wish: Wish, view: View) -> Refuse | None:
    """How many a member has is looked at first: else wishes would tell for ever which codes there
    are."""
    made = sum(isinstance(row, CodeRow) and row.vanity is not None for row in view.written)
    if wish.had + made >= config.codes.wishes:
        return Refuse(
            code=Code.LIMIT_REACHED,
            message="the member has as many codes of their choice as the program gives",
            field="vanity",
            details={"wishes": config.codes.wishes},
        )
    if wish.holder is not None:
        return Refuse(
            code=Code.ALREADY_EXISTS, message="this code is somebody's already", field="vanity"
        )
    return None
