"""The pods that objects make, wherever their template stands."""

from collections.abc import Iterator
from dataclasses import dataclass

from .chart import Object


@dataclass(frozen=True, slots=True)
class Pod:
    """A template of pods, with the object that holds it."""

    owner: Object
    labels: dict[str, str]
    spec: Object

    @property
    def name(self) -> str:
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def lasting(self) -> bool:
        """Whether it is meant to run for good."""
        return bool(self.owner["kind"] == "Deployment")

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def pods(found: list[Object]) -> Iterator[Pod]:
    for one in found:
        match one["kind"]:
            case "Pod":
                yield Pod(one, one["metadata"]["labels"], one["spec"])
            case "Deployment" | "Job":
                yield _of(one, one["spec"]["template"])
            case "CronJob":
                yield _of(one, one["spec"]["jobTemplate"]["spec"]["template"])


def _of(owner: Object, template: Object) -> Pod:
    return Pod(owner, template["metadata"]["labels"], template["spec"])


def pod(found: list[Object], component: str) -> Pod:
    [one] = [one for one in pods(found) if one.component == component]
    return one
