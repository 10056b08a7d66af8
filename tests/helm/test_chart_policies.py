"""What the chart makes keeps its policies; and each policy finds what was planted for it."""

from collections.abc import Callable

import pytest

from . import networks, policies
from .chart import CASES, Object, objects
from .networks import NETWORKS
from .pods import pod, pods
from .policies import POLICIES, Policy

CLOSED = [case for case in CASES if CASES[case].file != "bare"]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_pods_keep_to_it(policy: Policy) -> None:
    assert {case: found for case in CASES if (found := list(policy(objects(case))))} == {}


@pytest.mark.parametrize("policy", NETWORKS, ids=lambda policy: policy.__name__)
def test_the_network_keeps_to_it(policy: Policy) -> None:
    assert {case: found for case in CLOSED if (found := list(policy(objects(case))))} == {}


def test_there_is_something_to_look_at() -> None:
    components = {one.component for case in CASES for one in pods(objects(case))}
    assert components == {"api", "worker", "migration", "audit", "test", "pgbouncer", "valkey"}
    assert networks.policies(objects("bare")) == []


def api(found: list[Object]) -> Object:
    return pod(found, "api").spec


def container(found: list[Object]) -> Object:
    return dict.__getitem__(api(found), "containers")[0]  # type: ignore[no-any-return]


def of(kind: str, found: list[Object], end: str = "") -> Object:
    return next(
        one for one in found if one["kind"] == kind and one["metadata"]["name"].endswith(end)
    )


def literal(name: str, value: str) -> Callable[[list[Object]], object]:
    return lambda found: container(found)["env"].append({"name": name, "value": value})


PLANTED: list[tuple[Policy, Callable[[list[Object]], object]]] = [
    (policies.no_root, lambda o: api(o)["securityContext"].update(runAsNonRoot=False)),
    (policies.no_root, lambda o: api(o)["securityContext"].update(runAsUser=0)),
    (policies.no_root, lambda o: api(o)["securityContext"].pop("seccompProfile")),
    (policies.no_root, lambda o: container(o)["securityContext"].update(runAsUser=0)),
    (policies.no_privileges, lambda o: container(o)["securityContext"].update(privileged=True)),
    (
        policies.no_privileges,
        lambda o: container(o)["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (policies.no_privileges, lambda o: container(o)["securityContext"].pop("capabilities")),
    (policies.no_privileges, lambda o: api(o)["initContainers"][0].pop("securityContext")),
    (policies.no_privileges, lambda o: api(o).update(hostNetwork=True)),
    (policies.no_privileges, lambda o: api(o)["volumes"].append({"hostPath": {"path": "/"}})),
    (policies.no_tokens, lambda o: api(o).update(automountServiceAccountToken=True)),
    (policies.no_tokens, lambda o: api(o).pop("serviceAccountName")),
    (policies.no_tokens, lambda o: of("ServiceAccount", o).pop("automountServiceAccountToken")),
    (policies.limits, lambda o: container(o)["resources"]["limits"].pop("memory")),
    (policies.limits, lambda o: api(o)["initContainers"][0].pop("resources")),
    (policies.images, lambda o: container(o).update(image="loyalty-platform")),
    (policies.images, lambda o: container(o).update(image="host:5000/loyalty:latest")),
    (policies.probes, lambda o: container(o).pop("readinessProbe")),
    (policies.probes, lambda o: container(o)["livenessProbe"]["httpGet"].update(path="/readyz")),
    (policies.probes, lambda o: container(o)["startupProbe"]["httpGet"].update(port="probes")),
    (policies.environment, literal("LOYALTY_OPERATOR_SECRET", "canary")),
    (policies.environment, literal("LOYALTY_TENANT_RATES", "1")),
    (policies.environment, literal("LOYALTY_WEBHOOK_TRUSTED_HOSTS", "redis://:canary@h")),
    (policies.environment, literal("LOYALTY_REDIS_URL_FILE", "/etc/redis")),
    (policies.secrets, literal("LOYALTY_AUDIT_DATABASE_URL_FILE", "/run/loyalty/auditDatabase")),
    (
        policies.secrets,
        lambda o: literal("LOYALTY_HOST", of("Secret", o)["stringData"]["operator-secret"])(o),
    ),
    (
        policies.only_its_own_secrets,
        literal("LOYALTY_DATABASE_URL_FILE", "/run/loyalty/database"),
    ),
    (policies.endings, lambda o: api(o).update(terminationGracePeriodSeconds=30)),
    (policies.endings, lambda o: container(o).pop("lifecycle")),
    (
        policies.endings,
        lambda o: pod(o, "worker").spec.update(terminationGracePeriodSeconds=25),
    ),
    (policies.spread, lambda o: api(o).pop("topologySpreadConstraints")),
    (policies.spread, lambda o: o.remove(of("PodDisruptionBudget", o, "-api"))),
    (
        policies.spread,
        lambda o: pod(o, "api").owner["spec"]["strategy"]["rollingUpdate"].update(
            maxUnavailable=1
        ),
    ),
    (networks.services, lambda o: container(o)["ports"].clear()),
    (networks.services, lambda o: pod(o, "api").labels.update({"app.kubernetes.io/name": "x"})),
    (
        networks.owners,
        lambda o: pod(o, "worker").labels.update({"app.kubernetes.io/component": "api"}),
    ),
    (
        networks.default_deny,
        lambda o: list(map(o.remove, [of("NetworkPolicy", o, n) for n in ("-default", "-api")])),
    ),
    (
        networks.named_ways,
        lambda o: of("NetworkPolicy", o, "-worker")["spec"]["egress"].append({}),
    ),
    (
        networks.named_ways,
        lambda o: of("NetworkPolicy", o, "-worker")["spec"]["egress"][-1]["to"][0].update(
            ipBlock={"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}
        ),
    ),
    (
        networks.named_ways,
        lambda o: of("NetworkPolicy", o, "-api")["spec"]["ingress"][0].pop("ports"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "plant"), PLANTED)
def test_what_is_planted_is_found(policy: Policy, plant: Callable[[list[Object]], object]) -> None:
    found = objects("trial")
    assert list(policy(found)) == []
    plant(found)
    assert list(policy(found)) != []


def test_every_policy_has_something_planted() -> None:
    assert {policy for policy, _ in PLANTED} == {*POLICIES, *NETWORKS}


HTTPS = [(world, port) for port in (443, 8443) for world in ("0.0.0.0/0", "::/0")]
DNS = ("kube-system", 53)


@pytest.mark.parametrize(
    ("case", "component", "ways"),
    [
        ("trial", "api", [*HTTPS, DNS, ("postgres", 5432), ("valkey", 6379)]),
        ("trial", "migration", [DNS, ("postgres", 5432)]),
        ("trial", "worker", [*HTTPS, DNS, ("postgres", 5432), ("valkey", 6379)]),
        ("trial", "valkey", [DNS]),
        ("trial", "test", [("api", 8000), DNS]),
        ("managed", "api", [*HTTPS, ("10.1.2.0/24", 5432), ("10.1.3.0/24", 6380), DNS]),
        (
            "managed",
            "worker",
            [*HTTPS, ("10.1.2.0/24", 5432), ("10.1.3.0/24", 6380), DNS],
        ),
        (
            "external",
            "api",
            [*HTTPS, ("10.1.3.0/24", 6379), DNS, ("monitoring", 4318), ("pgbouncer", 6432)],
        ),
        ("external", "audit", [DNS, ("pgbouncer", 6432)]),
        ("external", "migration", [("10.1.2.0/24", 5432), DNS]),
        ("external", "pgbouncer", [("10.1.2.0/24", 5432), DNS]),
        ("external, no way to the world", "worker",
         [("10.1.3.0/24", 6379), DNS, ("monitoring", 4318), ("pgbouncer", 6432)]),
    ],
)  # fmt: skip
def test_each_process_goes_where_it_must_and_nowhere_else(
    case: str, component: str, ways: list[tuple[str, int]]
) -> None:
    found = objects(case)
    assert networks.ways_out(found, pod(found, component)) == sorted(ways)
