"""`loyalty worker`"""

import logging

from loyalty_app.garbage import collect_later, collect_seldom
from loyalty_app.lean import leave_out
from loyalty_app.settings import Settings


def worker() -> None:
    """Do what falls due in all tenants until told to stop; any number of workers may run at once.

    Expiry of points, holds that lapse, facts that follow later, webhooks, plugins' jobs, counters
    of new program versions, and rows whose time is over.
    """
    collect_later()
    leave_out()
    import uvloop

    from loyalty_app.worker import work

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    collect_seldom()
    uvloop.run(work(Settings.load()))
