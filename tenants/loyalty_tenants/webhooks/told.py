"""Facts put into words: the `data` of each topic of the kernel."""

from collections.abc import Callable, Mapping
from typing import Any

from loyalty.days import iso
from loyalty.ids import public_id
from loyalty.jobs.outbox import OutboxRow
from loyalty_tenants.webhooks import data
from loyalty_tenants.webhooks.scene import Scene, member_of, redemption_of

Tell = Callable[[OutboxRow, Scene], data.FactData]


def common(row: OutboxRow, *, occurred_at: str | None = None) -> dict[str, Any]:
    """What is said of every fact."""
    return {
        "fact_id": public_id("Fact", row.fact_id),
        "member": member_of(row),
        "occurred_at": occurred_at or iso(row.occurred_at),
        "recorded_at": iso(row.recorded_at),
    }


def plain(kind: type[data.FactData], *names: str, **renamed: str) -> Tell:
    """A fact whose fields are said as they are; `renamed` says which one is called otherwise."""
    sources = {**{name: name for name in names}, **renamed}

    def tell(row: OutboxRow, scene: Scene) -> data.FactData:
        said = {name: row.payload[source] for name, source in sources.items()}
        for name, of in (("earned", earned), ("taken_back", taken_back)):
            if name in kind.model_fields:
                said[name] = of(row, scene)
        return kind(**common(row), **said)

    return tell


def purchase(row: OutboxRow, scene: Scene) -> data.FactData:
    said = row.payload
    return data.PurchaseRecorded(
        **common(row),
        source=said["source"],
        external_id=said["external_id"],
        revision=said["revision"],
        total=scene.amount(said["total"], said["currency"]),
        earned=earned(row, scene),
        taken_back=taken_back(row, scene),
    )


def returned(row: OutboxRow, scene: Scene) -> data.FactData:
    said = row.payload
    revision = said["purchase_revision"]
    return data.PurchaseReturned(
        **common(row),
        source=said["source"],
        return_id=said["return_id"],
        purchase_external_id=said["purchase_external_id"],
        purchase_revision=scene.revisions[row.fact_id] if revision is None else revision,
        taken_back=taken_back(row, scene),
    )


def lots_ended(row: OutboxRow, scene: Scene) -> data.FactData:
    ended = [
        data.Ended(amount=scene.amount(one["amount"], one["unit"]), program=one["rule"])
        for one in row.answer.get("takenBack", ())
    ]
    return data.LotsEnded(**common(row), ended=ended)


def adjusted(row: OutboxRow, scene: Scene) -> data.FactData:
    said = row.payload
    return data.BalanceAdjusted(
        **common(row),
        amount=scene.amount(said["amount"], said["unit"]),
        reason_code=said["reason_code"],
    )


def created(row: OutboxRow, scene: Scene) -> data.FactData:
    state = "CAPTURED" if row.payload["capture"] else "HELD"
    found = _redemption(row, scene)
    return data.RedemptionCreated(
        **common(row),
        **_of(row, found, scene, state),
        held_until=iso(found["held_until"]) if state == "HELD" else None,
    )


def captured(row: OutboxRow, scene: Scene) -> data.FactData:
    found, asked = _redemption(row, scene), row.payload["amount"]
    return data.RedemptionCaptured(
        **common(row),
        **_of(row, found, scene, "CAPTURED"),
        captured=scene.amount(found["amount"] if asked is None else asked, found["unit"]),
    )


def given_back(state: str) -> Tell:
    def tell(row: OutboxRow, scene: Scene) -> data.FactData:
        return data.Redemption(**common(row), **_of(row, _redemption(row, scene), scene, state))

    return tell


def reversed_(row: OutboxRow, scene: Scene) -> data.FactData:
    found = _redemption(row, scene)
    return data.RedemptionReversed(
        **common(row),
        **_of(row, found, scene, "REVERSED"),
        reinstated=scene.amount(row.answer["reinstated"], found["unit"]),
        expired=scene.amount(row.answer["expired"], found["unit"]),
    )


def moved(row: OutboxRow, posting: Mapping[str, Any], scene: Scene) -> data.ValueMoved:
    """A posting, as what it was to the member."""
    said = {
        **common(row, occurred_at=iso(posting["occurred_at"])),
        "amount": scene.amount(posting["amount"], posting["unit"]),
        "program": scene.slug(posting["program_id"]),
        "rule": posting["rule"],
        "label": posting["label"],
    }
    if posting["kind"] != "BURN":
        return data.ValueMoved(**said)
    redemption_id = redemption_of(row)
    return data.ValueBurned(
        **said, redemption_id=redemption_id and public_id("Redemption", redemption_id)
    )


def published(row: OutboxRow, scene: Scene) -> data.FactData:
    """A plugin's fact: emitted at once beside another one, or recorded by itself."""
    said = dict(row.payload if row.content is None else row.content)
    said.pop("$erased", None)  # which of its texts are empty because the member was erased
    return data.PublishedFact(**common(row, occurred_at=said.pop("occurred_at")), fact=said)


def earned(row: OutboxRow, scene: Scene) -> list[data.Earned]:
    return [
        data.Earned(
            amount=scene.amount(one["amount"], one["unit"]),
            available_at=one["availableAt"],
            expires_at=one["expiresAt"],
            label=one["label"],
            rule=one["rule"],
        )
        for one in row.answer.get("earned", ())
    ]


def taken_back(row: OutboxRow, scene: Scene) -> list[data.Taken]:
    return [
        data.Taken(
            amount=scene.amount(one["amount"], one["unit"]),
            wanted=scene.amount(one["wanted"], one["unit"]),
            rule=one["rule"],
        )
        for one in row.answer.get("takenBack", ())
    ]


def _redemption(row: OutboxRow, scene: Scene) -> Mapping[str, Any]:
    found = redemption_of(row)
    if found is None:
        raise LookupError(f"{row.topic} names no redemption")
    return scene.redemptions[found]


def _of(row: OutboxRow, found: Mapping[str, Any], scene: Scene, state: str) -> dict[str, Any]:
    return {
        "redemption_id": public_id("Redemption", found["id"]),
        "program": scene.slug(found["program_id"]),
        "state": state,
        "amount": scene.amount(found["amount"], found["unit"]),
        "order": row.payload.get("order") or found["order_ref"],
    }
