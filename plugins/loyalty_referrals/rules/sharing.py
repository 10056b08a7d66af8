"""Members hand on their codes. Pure."""

from collections.abc import Iterable

from loyalty.effects import Effect, Refuse, Write
from loyalty.errors import Code
from loyalty.view import View
from loyalty_referrals.code import read
from loyalty_referrals.commands import ShareCode
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.needs import VANITY
from loyalty_referrals.rows import CodeRow, ShareRow


def share(config: ReferralsConfig, command: ShareCode, view: View) -> Iterable[Effect]:
    """The member has a code from now on, and one more of their choice where they wish for it."""
    if command.program != view.program or view.member is None:
        return
    yield Write(row=CodeRow())
    if command.vanity is not None:
        code = read(command.vanity)
        holder = view.needs.get(VANITY)
        if holder is not None and holder != view.member.id:
            yield Refuse(code=Code.ALREADY_EXISTS, message="somebody has this code", field="vanity")
            return
        if holder is None:
            yield Write(row=CodeRow(vanity=code))
    yield Write(row=ShareRow())
