"""`loyalty serve` with one more plugin installed: the one that does whatever it should not."""

import sys

from loyalty_app import cli, ledger
from loyalty_app.installed import installed
from tests.faults.faulty import plugin

if __name__ == "__main__":
    ledger.installed = lambda: (*installed(), plugin)  # type: ignore[attr-defined]
    sys.argv[0] = "loyalty"
    cli.main()
