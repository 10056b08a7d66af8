"""What must hold of how the chart's pods reach one another and the world."""

from collections.abc import Iterator

from .chart import Object
from .pods import Pod, pods
from .policies import Policy, selects

PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}


def services(found: list[Object]) -> Iterator[str]:
    """A service leads to pods that are there, at ports that they have."""
    for one in found:
        if one["kind"] != "Service":
            continue
        behind = [p for p in pods(found) if selects({"matchLabels": one["spec"]["selector"]}, p)]
        ports = {
            port["name"]
            for pod in behind
            for container in pod.containers
            for port in container.get("ports", [])
        }
        for port in one["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"Service {one['metadata']['name']}: leads nowhere at {port['name']}"


def owners(found: list[Object]) -> Iterator[str]:
    """A deployment finds its own pods and nobody else's."""
    for pod in pods(found):
        if pod.lasting:
            mine = [p for p in pods(found) if selects(pod.owner["spec"]["selector"], p)]
            if mine != [pod]:
                yield f"{pod.name}: finds {len(mine)} kinds of pods"


def default_deny(found: list[Object]) -> Iterator[str]:
    denying = [
        policy["spec"]
        for policy in policies(found)
        if set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    ]
    for pod in pods(found):
        if not any(selects(policy["podSelector"], pod) for policy in denying):
            yield f"{pod.name}: may do what it likes"


def named_ways(found: list[Object]) -> Iterator[str]:
    """Every way out names whom it leads to and at which ports; the world is not the neighbours."""
    for policy in policies(found):
        name = f"NetworkPolicy {policy['metadata']['name']}"
        for rule in policy["spec"].get("egress", []):
            if not rule.get("to") or not rule.get("ports"):
                yield f"{name}: lets out to anybody"
            for peer in rule.get("to", []):
                block = peer.get("ipBlock", {})
                if block.get("cidr") == "0.0.0.0/0" and PRIVATE - set(block["except"]):
                    yield f"{name}: lets out to private addresses"
        for rule in policy["spec"].get("ingress", []):
            if not rule.get("ports"):
                yield f"{name}: lets in at any port"


def policies(found: list[Object]) -> list[Object]:
    return [one for one in found if one["kind"] == "NetworkPolicy"]


def ways_out(found: list[Object], pod: Pod) -> list[tuple[str, int]]:
    """Where a pod may go: a component, an address or a namespace, each with a port."""
    ways = []
    for policy in policies(found):
        if selects(policy["spec"]["podSelector"], pod):
            for rule in policy["spec"].get("egress", []):
                ways += [(_whom(to), at["port"]) for to in rule["to"] for at in rule["ports"]]
    return sorted(set(ways))


def _whom(peer: Object) -> str:
    match peer:
        case {"podSelector": {"matchLabels": {"app.kubernetes.io/component": str(component)}}}:
            return component
        case {"podSelector": {"matchLabels": {"cnpg.io/cluster": str()}}}:
            return "postgres"
        case {"ipBlock": {"cidr": str(cidr)}}:
            return cidr
        case {"namespaceSelector": {"matchLabels": dict(labels)}}:
            return str(labels["kubernetes.io/metadata.name"])
    raise AssertionError(peer)


NETWORKS: tuple[Policy, ...] = (services, owners, default_deny, named_ways)
