"""A process that serves imports no command line but its own, and reads no source to start."""

import subprocess
import sys

SERVING = """
import inspect, sys, loyalty_app.cli
read, found = [], inspect.findsource
inspect.findsource = lambda what: read.append(what) or found(what)
from loyalty_app.lean import leave_out
leave_out()
import loyalty_app.asgi, loyalty_app.logs, loyalty_app.server
from loyalty_app.installed import shipped
from loyalty_graphql.compose import compose
from loyalty_graphql.core import CORE
plugins = shipped()
schema = compose(CORE, plugins)
looked_for = "rich", "pygments", "opentelemetry.sdk", "psutil", "yaml", "httpx", "uvicorn"
print([name for name in looked_for if name in sys.modules])
print([one for one in read if not str(one).startswith("<module 'anyio")])  # a lazy one by that
schema.describe()
print(len(read) > 50)
"""


def test_what_is_not_used_is_left_out() -> None:
    done = subprocess.run([sys.executable, "-c", SERVING], capture_output=True, check=True)
    imported, read, described = done.stdout.decode().splitlines()
    assert imported == "['httpx', 'uvicorn']"
    assert read == "[]", "descriptions are for those who ask for them"
    assert described == "True", "and then they are read"
