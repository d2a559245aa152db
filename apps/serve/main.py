"""Serve an exported model over HTTP for a first try.

    kerascnn serve runs/mnist --port 8000
    curl --data-binary @picture.png http://127.0.0.1:8000/predict

TensorFlow Serving takes the same SavedModel.
"""

import socket
from pathlib import Path
from typing import Annotated

import typer


def serve(
    folder: Annotated[Path, typer.Argument(help="A run, its export folder, or one export in it.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
):
    """Answer images sent to /predict: with their class, their mask, or larger."""
    try:
        import uvicorn

        from kerascnn_apps.serve.server import create_server
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"`kerascnn serve` needs {error.name}: pip install 'kerascnn[serve]'."
        ) from error
    from kerascnn.export.formats import find_export

    version = find_export(folder)
    with socket.socket() as probe:  # uvicorn itself would end the process without a sentence
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RuntimeError(
                f"{host}:{port} cannot be listened on ({error.strerror})."
            ) from error
    server = create_server(version)
    typer.echo(f"Serving {version} on http://{host}:{port}/predict (Ctrl+C ends it)")
    uvicorn.run(server, host=host, port=port, log_level="warning")
