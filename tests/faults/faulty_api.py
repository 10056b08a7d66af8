"""`loyalty serve` with one more plugin installed: the one that does whatever it should not."""

import sys

from loyalty_app import cli, installed
from tests.faults.faulty import plugin

if __name__ == "__main__":
    found = installed.installed
    # Who serves looks it up when it begins.
    installed.installed = lambda: (*found(), plugin)
    sys.argv[0] = "loyalty"
    cli.main()
