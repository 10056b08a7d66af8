"""Checks the chart with every set of values and packages it: `make chart`."""

import sys
from pathlib import Path

import helm_python
import yaml

from .chart import CHART


def package(destination: Path) -> Path:
    """The archive, written into the folder.

    :raises SystemExit: the chart has faults
    """
    for values in sorted((CHART / "ci").glob("*.yaml")):
        given = yaml.safe_load(values.read_text("utf-8"))
        report = helm_python.lint(str(CHART), given, strict=True)
        if report["errors"]:
            raise SystemExit(f"{values.name}: {report['errors']}")
    return Path(helm_python.package(str(CHART), destination=str(destination)))


if __name__ == "__main__":
    sys.stdout.write(f"{package(Path(sys.argv[1]))}\n")
