"""What must hold of every pod that the chart makes; findings are told as `kind name: what`."""

import re
from collections.abc import Callable, Iterator, Mapping

from loyalty_app.secret_files import secret_settings, variable_of_file
from loyalty_app.server import GRACE_SECONDS, NOTICE_SECONDS
from loyalty_app.settings import Settings

from .chart import Object
from .pods import Pod, pods

CLOSING_SECONDS = 5  # pools and sockets
SETTINGS = {f"LOYALTY_{name.upper()}" for name in Settings.model_fields}
FILES = {variable_of_file(name) for name in secret_settings(Settings)}
OTHERS = {"OTEL_EXPORTER_OTLP_ENDPOINT"}  # of OpenTelemetry itself
CREDENTIALS = re.compile(r"://[^/\s]*:[^/\s]*@")
PROBES = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
Policy = Callable[[list[Object]], Iterator[str]]


def no_root(found: list[Object]) -> Iterator[str]:
    for pod in pods(found):
        context = pod.spec.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{pod.name}: may run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod.name}: calls of the kernel are not filtered"
        for container in pod.containers:
            if container.get("securityContext", {}).get("runAsUser") == 0:
                yield f"{pod.name}: {container['name']} runs as root"


def no_privileges(found: list[Object]) -> Iterator[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for pod in pods(found):
        for container in pod.containers:
            if container.get("securityContext") != wanted:
                yield f"{pod.name}: {container['name']} may more than it needs"
        if {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys():
            yield f"{pod.name}: shares what is the node's"
        if any("hostPath" in volume for volume in pod.spec.get("volumes", [])):
            yield f"{pod.name}: mounts a folder of the node"


def no_tokens(found: list[Object]) -> Iterator[str]:
    accounts = {one["metadata"]["name"]: one for one in found if one["kind"] == "ServiceAccount"}
    for pod in pods(found):
        account = accounts.get(pod.spec.get("serviceAccountName", ""))
        if account is None:
            yield f"{pod.name}: has no service account of its own"
        elif account.get("automountServiceAccountToken") is not False:
            yield f"{pod.name}: its service account hands out tokens"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod.name}: gets a token"


def limits(found: list[Object]) -> Iterator[str]:
    for pod in pods(found):
        for container in pod.containers:
            resources = container.get("resources", {})
            for part in ("requests", "limits"):
                if not {"cpu", "memory"} <= resources.get(part, {}).keys():
                    yield f"{pod.name}: {container['name']} has no {part}"


def images(found: list[Object]) -> Iterator[str]:
    for pod in pods(found):
        for container in pod.containers:
            name, _, digest = container["image"].partition("@")
            tag = name.rpartition("/")[2].partition(":")[2]
            if not digest and tag in ("", "latest"):
                yield f"{pod.name}: nobody knows which image {container['name']} gets"


def probes(found: list[Object]) -> Iterator[str]:
    for pod in pods(found):
        if not pod.lasting:
            continue
        for container in pod.spec["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for probe, path in PROBES.items():
                asked = container.get(probe, {})
                how = asked.get("httpGet") or asked.get("tcpSocket") or {}
                if how.get("port") not in ports:
                    yield f"{pod.name}: {probe} asks no port of it"
                elif pod.component in ("api", "worker") and how.get("path") != path:
                    yield f"{pod.name}: {probe} does not ask {path}"


def environment(found: list[Object]) -> Iterator[str]:
    """Settings that exist, and secrets by files alone."""
    for pod in pods(found):
        for container in pod.containers:
            for given in container.get("env", []):
                name, value = given["name"], given.get("value", "")
                if name not in SETTINGS | FILES | OTHERS:
                    yield f"{pod.name}: there is no setting {name}"
                if name.removeprefix("LOYALTY_").lower() in secret_settings(Settings):
                    yield f"{pod.name}: {name} is a secret in the environment"
                if CREDENTIALS.search(value):
                    yield f"{pod.name}: {name} holds a password"
                if name in FILES and not value.startswith("/run/loyalty/"):
                    yield f"{pod.name}: {name} leads past the volume of secrets"


def secrets(found: list[Object]) -> Iterator[str]:
    """Nothing of what a Secret holds stands anywhere else; each file is one that is mounted."""
    words = {
        word
        for one in found
        if one["kind"] == "Secret"
        for text in one.get("stringData", {}).values()
        for word in re.findall(r"[A-Za-z0-9]{32,}", text)
    }
    for one in found:
        if one["kind"] != "Secret" and any(word in str(one) for word in words):
            yield f"{one['kind']} {one['metadata']['name']}: holds a secret"
    for pod in pods(found):
        mounted = set(_paths(pod.spec.get("volumes", [])))
        for container in pod.containers:
            for given in container.get("env", []):
                if given["name"] in FILES and given["value"] not in mounted:
                    yield f"{pod.name}: {given['name']} names a file that is not there"


def _paths(volumes: list[Object]) -> Iterator[str]:
    for volume in volumes:
        for source in volume.get("projected", {}).get("sources", []):
            yield from (f"/run/loyalty/{item['path']}" for item in source["secret"]["items"])


def only_its_own_secrets(found: list[Object]) -> Iterator[str]:
    """A process that serves never gets the login that may change the schema."""
    for pod in pods(found):
        names = {given["name"] for one in pod.containers for given in one.get("env", [])}
        if pod.component != "migration" and "LOYALTY_DATABASE_URL_FILE" in names:
            yield f"{pod.name}: could change the schema"
        if pod.component != "api" and "LOYALTY_OPERATOR_SECRET_FILE" in names:
            yield f"{pod.name}: could sign operators' tokens"


def endings(found: list[Object]) -> Iterator[str]:
    """Whoever is told to stop has the time that it takes."""
    for pod in pods(found):
        if pod.component not in ("api", "worker"):
            continue
        [container] = pod.spec["containers"]
        hook = container.get("lifecycle", {}).get("preStop", {})
        pause = hook.get("sleep", {}).get("seconds", 0)
        longest = NOTICE_SECONDS + GRACE_SECONDS if pod.component == "api" else _delivery_max()
        if pod.spec.get("terminationGracePeriodSeconds", 30) < pause + longest + CLOSING_SECONDS:
            yield f"{pod.name}: is killed in the middle of its work"
        if pod.component == "api" and pause < 1:
            yield f"{pod.name}: closes its door before others know"


def _delivery_max() -> float:
    field = Settings.model_fields["webhook_seconds"]
    return float(next(rule.le for rule in field.metadata if hasattr(rule, "le")))


def spread(found: list[Object]) -> Iterator[str]:
    """What runs several times does so in several places, and is not taken away at once."""
    budgets = [one["spec"] for one in found if one["kind"] == "PodDisruptionBudget"]
    for pod in pods(found):
        if not pod.lasting or pod.component == "valkey":
            continue
        keys = {one["topologyKey"] for one in pod.spec.get("topologySpreadConstraints", [])}
        if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{pod.name}: is not spread"
        if not any(selects(one["selector"], pod) for one in budgets):
            yield f"{pod.name}: may be drained away"
        if pod.owner["spec"]["strategy"]["rollingUpdate"].get("maxUnavailable") != 0:
            yield f"{pod.name}: an old one ends before a new one serves"


def selects(selector: Mapping[str, object], pod: Pod) -> bool:
    """Whether a selector means this pod."""
    wanted = selector.get("matchLabels", {})
    assert isinstance(wanted, dict)
    listed = selector.get("matchExpressions", [])
    assert isinstance(listed, list)
    return wanted.items() <= pod.labels.items() and all(
        one["operator"] == "In" and pod.labels.get(one["key"]) in one["values"] for one in listed
    )


POLICIES: tuple[Policy, ...] = (
    no_root, no_privileges, no_tokens, limits, images, probes, environment, secrets,
    only_its_own_secrets, endings, spread,
)  # fmt: skip
