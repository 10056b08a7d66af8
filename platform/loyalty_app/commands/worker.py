"""`loyalty worker`"""

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

    from loyalty_app.logs import configure
    from loyalty_app.metrics import metrics
    from loyalty_app.traces import traces
    from loyalty_app.worker import work

    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    collect_seldom()
    with metrics(settings.host, settings.metrics_port), traces("loyalty-worker"):
        uvloop.run(work(settings))
