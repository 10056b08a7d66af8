"""`loyalty reset`"""

import typer

from loyalty_app.settings import Settings


def reset() -> None:
    """Forget the data of the embedded servers in LOYALTY_DATA_DIR (./.loyalty)."""
    from loyalty_app.reset import reset as forget

    folder = Settings().data_dir
    typer.echo(f"Forgot the data in {folder}." if forget(folder) else f"No data in {folder}.")
