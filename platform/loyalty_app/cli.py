"""The command line `loyalty`: one command, one small file in `commands/`.

A command imports what it needs when it runs, so that `loyalty --help` answers at once.
"""

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from loyalty_app.commands import backup, demo, key, member, programs, scale, templates, tenant
from loyalty_app.commands.audit import audit
from loyalty_app.commands.backtest import backtest
from loyalty_app.commands.doctor import doctor
from loyalty_app.commands.migrate import migrate
from loyalty_app.commands.reset import reset
from loyalty_app.commands.schema import schema
from loyalty_app.commands.serve import serve
from loyalty_app.commands.token import token
from loyalty_app.commands.up import up
from loyalty_app.commands.wait import wait
from loyalty_app.commands.worker import worker
from loyalty_app.parent import end_with_parent
from loyalty_app.problem import Problem

app = typer.Typer(
    help="A multi-tenant loyalty platform.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold passwords
)
for command in (up, serve, worker, migrate, wait, schema, token, audit, doctor, reset):
    app.command()(command)
app.add_typer(tenant.app, name="tenant")
app.add_typer(key.app, name="key")
app.add_typer(member.app, name="member")
programs.app.command()(backtest)
app.add_typer(programs.app, name="programs")
app.add_typer(templates.app, name="templates")
app.add_typer(scale.app, name="scale")
app.add_typer(backup.app, name="backup")
app.add_typer(demo.app, name="demo")


def main() -> None:
    end_with_parent()
    try:
        app()
    except Problem as problem:
        _end(problem)
    except ValidationError as error:  # of Settings: everything else checks its own input
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(("LOYALTY", *map(str, first["loc"]))).upper()
        _end(Problem(f"{name}: {first['msg']}", f"Correct {name}, or unset it"))
    except OSError as error:
        _end(Problem(str(error), "`loyalty doctor` says what stands and what does not"))


def _end(problem: Problem) -> NoReturn:
    typer.secho(problem.told, fg="red", err=True)
    typer.echo(f"{problem.mend}.", err=True)
    sys.exit(1)
