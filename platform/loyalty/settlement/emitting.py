"""Facts that follow from facts: now for the same member, else stored durably and settled later."""

from datetime import datetime
from uuid import UUID

from loyalty.days import iso
from loyalty.effects import Emit
from loyalty.facts import TraitChanged
from loyalty.ids import new_id
from loyalty.plugin_set import Turn
from loyalty.settlement.sale import FollowOn
from loyalty.settlement.settling import HOPS_MAX, Settling


def emit(s: Settling, turn: Turn, effect: Emit) -> None:
    """Show the fact to the rules at once, or store it where it concerns another or falls later."""
    fact = effect.fact
    if type(fact) not in turn.reaction.emits:
        raise TypeError(f"{turn.plugin.name} does not declare that it emits {fact.KIND}")
    payload = s.batch.plugins.codec.dump(fact)
    member = s.member if fact.member is None else s.batch.member_of(fact.member)
    stored = effect.at is not None or effect.apart or effect.of is not None
    if not stored and member is s.member and (member is not None or fact.member is None):
        s.body.setdefault("emitted", []).append({"kind": fact.KIND, "payload": payload})
        s.outbox.append((fact.KIND, payload))
        s.follow(fact, measured=True)
        return
    if s.hop + 1 > HOPS_MAX:
        raise RuntimeError(f"{fact.KIND} is more than {HOPS_MAX} facts away from its root")
    member_id = member.id if member else fact.member.id if fact.member else None
    if fact.member is not None and member_id is None:
        raise ValueError(f"{fact.KIND} for another member must name them by id")
    due_at = effect.at or s.batch.now
    root = effect.of or (s.fact_id if effect.apart else None)
    store(s, fact.KIND, payload, member_id=member_id, due_at=due_at, root=root)


def tell_of_traits(s: Settling) -> None:
    """Have the rules look again when the traits that were set here begin to hold, or cease to."""
    if not s.traits or not s.stretch.turns(TraitChanged):
        return
    if s.hop + 1 > HOPS_MAX:
        raise RuntimeError("traits change each other in a circle")
    changes: dict[tuple[datetime, UUID], list[str]] = {}
    for member_id, name, value in s.traits:
        for at in (value.since, value.until):
            if at is not None:
                changes.setdefault((at, member_id), []).append(name)
    root = s.request.follows.root_id if s.request.follows else s.fact_id
    for (at, member_id), names in sorted(changes.items()):
        s.sequence += 1
        payload = {"occurred_at": iso(at), "names": sorted(names)}
        s.batch.book.rows.due.append(
            (
                new_id(), s.fact_id, root, s.hop + 1, s.sequence, TraitChanged.KIND, member_id,
                payload, at,
            )
        )  # fmt: skip


def store(
    s: Settling, kind: str, payload: object, *, member_id: UUID | None, due_at: datetime,
    root: UUID | None = None,
) -> None:  # fmt: skip
    """Keep a follow-on fact in the same transaction; the worker settles it once, in order.

    It is undone with its `root`: the fact at the beginning, unless another one is named.
    """
    s.sequence += 1
    due_id = new_id()
    if root is None:
        root = s.request.follows.root_id if s.request.follows else s.fact_id
    s.batch.book.rows.due.append(
        (due_id, s.fact_id, root, s.hop + 1, s.sequence, kind, member_id, payload, due_at)
    )
    s.answer.setdefault("consequences", []).append({"id": str(due_id), "kind": kind})
    for sale in s.batch.sales.values():
        if sale.fact_id == root:  # it may be undone by what comes next in this very batch
            following = FollowOn(
                id=due_id, kind=kind, member_id=member_id, state="WAITING", due_at=due_at,
                hop=s.hop + 1,
            )  # fmt: skip
            s.batch.book.change(sale, "follow_ons", (*sale.follow_ons, following))
