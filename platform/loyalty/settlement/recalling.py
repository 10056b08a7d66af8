"""What a rule takes back in answer to a return, beyond the shares of what came back."""

from typing import Any

from loyalty.effects import BORNE, Recall
from loyalty.ledger.account import ISSUED
from loyalty.plugin_set import Turn
from loyalty.settlement.expiring import breakage, end_due
from loyalty.settlement.measuring import count_at, granted_view
from loyalty.settlement.sale import WHOLE
from loyalty.settlement.settling import Settling
from loyalty.settlement.taking import take_back
from loyalty.view import GrantView


def recall(s: Settling, turn: Turn, effect: Recall) -> GrantView:
    """Take it, write it into the decision, and answer it as a grant of less than nothing."""
    if s.returns is None:
        raise TypeError(f"{turn.plugin.name} may recall only in answer to a return")
    if effect.amount <= 0:
        raise ValueError(f"{turn.program.slug}/{effect.rule}: nothing to recall")
    book, program = s.batch.book, turn.program
    account = book.account(s.holder(effect.unit), effect.unit)
    rule = f"{program.slug}/{effect.rule}"
    cause = s.cause(program_id=program.id, rule=rule, label=effect.label)
    target = book.program_account(program.id, effect.unit, ISSUED)
    book.need_all_lots(account)
    end_due(s, account)  # or the account would owe beside lots that only wait for a sweep
    own = [lot for lot in book.open_lots(account) if lot.rule == rule]
    then = [lot for lot in own if lot.occurred_at == effect.given_at]
    take = f"recall {len(s.body.get('grants', ()))}"
    bore, net = s.found.bears.get(take, 0), s.net(program.slug, effect.rule, effect.unit)
    there = min(sum(lot.remaining for lot in then), effect.amount - bore)
    at = effect.given_at or s.at
    ended = min(effect.amount - bore - there, net.ended.get(at, 0))
    net.ended[at] = net.ended.get(at, 0) - ended
    taken = effect.amount - bore - ended
    if there:
        take_back(s, cause, account, there, then, target, effect.take_back, take)
    if ended:
        book.post(cause, effect.unit, ended, breakage(s, program.id, effect.unit), target)
    if taken > there:
        take_back(s, cause, account, taken - there, own, target, effect.take_back, take)
    s.touch(account.owner, effect.unit)
    s.taken.append({"unit": effect.unit, "amount": taken, "wanted": effect.amount, "rule": rule})
    stage, less = turn.reaction.stage, -effect.amount
    row: dict[str, Any] = {
        "program": program.slug, "programId": str(program.id), "version": turn.version.number,
        "rule": effect.rule, "label": effect.label, "stage": stage.name, "unit": effect.unit,
        "wanted": less, "granted": -taken - ended, "class": effect.accounting_class,
        "lines": {WHOLE: -taken - ended}, "back": effect.take_back, "inputs": {},
    }  # fmt: skip
    if ended:
        row["ended"] = ended
    if bore:
        row["borne"], row["cutBy"] = bore, BORNE
    s.body.setdefault("grants", []).append(row)
    seen = granted_view(row)
    if effect.given_at is not None:
        count_at(s, row, seen, effect.given_at)
    return seen
