"""The platform without its API: `record_many` called in this process."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.clock import SetClock
from loyalty.errors import Code, Refused
from loyalty.ledger.balances import balances
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.settlement.request import Request
from loyalty_app.demo import facts
from loyalty_app.demo.api import Answer, Redeemed
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.redemptions import Redemption
from loyalty_app.demo.stand import PROGRAM, UNIT
from loyalty_app.demo.sweeping import expired, sweep


class Direct:
    """An `Api` on a recorder whose clock is `clock`."""

    def __init__(self, recorder: Recorder, clock: SetClock, tenant_id: UUID) -> None:
        self._recorder = recorder
        self._clock = clock
        self._tenant_id = tenant_id

    def set_time(self, at: datetime) -> None:
        self._clock.at = at

    async def enroll(self, households: Sequence[str]) -> None:
        for outcome in await self._record([facts.enrolment(name) for name in households]):
            if isinstance(outcome, Refused):
                raise outcome

    async def record(self, baskets: Sequence[Basket]) -> list[Answer]:
        return [_answer(x) for x in await self._record([facts.purchase(b) for b in baskets])]

    async def redeem(self, redemptions: Sequence[Redemption]) -> list[Redeemed]:
        asked = [facts.redeem(redemption, PROGRAM, UNIT) for redemption in redemptions]
        return [_redeemed(outcome) for outcome in await self._record(asked)]

    async def sweep(self) -> None:
        await sweep(self._recorder, self._tenant_id, self._clock.now())

    async def balances(self) -> Mapping[str, int]:
        async with self._recorder.database.tenant(self._tenant_id, read_only=True) as connection:
            members = await connection.fetch("select id, external_id from loyalty.member")
            wants = [(member["id"], UNIT) for member in members]
            found = await balances(connection, wants, self._clock.now())
        return {m["external_id"]: found[m["id"], UNIT].view.available for m in members}

    async def expired(self) -> int:
        return await expired(self._recorder, self._tenant_id)

    async def _record(self, requests: Sequence[Request]) -> list[Outcome]:
        return await self._recorder.record_many(self._tenant_id, requests)


def _answer(outcome: Outcome) -> Answer:
    if isinstance(outcome, Refused):
        return Answer(0, refusal=outcome.code)
    earned = outcome.answer.get("earned", ())
    return Answer(sum(part["amount"] for part in earned), replayed=outcome.replayed)


def _redeemed(outcome: Outcome) -> Redeemed:
    if isinstance(outcome, Refused):
        if outcome.code is Code.INSUFFICIENT_BALANCE:
            return Redeemed.SKIPPED
        raise outcome
    return Redeemed.REPLAYED if outcome.replayed else Redeemed.DONE
