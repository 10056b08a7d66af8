"""Facts that follow from facts: now for the same member, else stored durably and settled later."""

from loyalty.effects import Emit
from loyalty.ids import new_id
from loyalty.plugin_set import Turn
from loyalty.settlement.settling import HOPS_MAX, Settling


def emit(s: Settling, turn: Turn, effect: Emit) -> None:
    """Show the fact to the rules at once, or store it where it concerns another or falls later."""
    fact = effect.fact
    if type(fact) not in turn.reaction.emits:
        raise TypeError(f"{turn.plugin.name} does not declare that it emits {fact.KIND}")
    payload = s.batch.plugins.codec.dump(fact)
    member = s.member if fact.member is None else s.batch.member_of(fact.member)
    if effect.at is None and member is s.member and (member is not None or fact.member is None):
        s.body.setdefault("emitted", []).append({"kind": fact.KIND, "payload": payload})
        s.outbox.append((fact.KIND, payload))
        s.follow(fact, measured=True)
        return
    if s.hop + 1 > HOPS_MAX:
        raise RuntimeError(f"{fact.KIND} is more than {HOPS_MAX} facts away from its root")
    member_id = member.id if member else fact.member.id if fact.member else None
    if fact.member is not None and member_id is None:
        raise ValueError(f"{fact.KIND} for another member must name them by id")
    store(s, fact.KIND, payload, member_id=member_id, due_at=effect.at or s.batch.now)


def store(s: Settling, kind: str, payload: object, *, member_id: object, due_at: object) -> None:
    """Keep a follow-on fact in the same transaction; the worker settles it once, in order."""
    s.sequence += 1
    due_id = new_id()
    root = s.request.follows.root_id if s.request.follows else s.fact_id
    s.batch.book.rows.due.append(
        (due_id, s.fact_id, root, s.hop + 1, s.sequence, kind, member_id, payload, due_at)
    )
    s.answer.setdefault("consequences", []).append({"id": str(due_id), "kind": kind})
