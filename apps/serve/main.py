"""Serve exported models over HTTP.

    kerascnn serve runs/mnist --port 8000
    curl --data-binary @image.png http://127.0.0.1:8000/predict

http://127.0.0.1:8000/ is a page to try the model on. Clients of TensorFlow Serving's REST interface
(/v1/models/NAME:predict) and of the Open Inference Protocol (/v2/models/NAME/infer) work as well.
"""

import contextlib
import re
from pathlib import Path
from typing import Annotated

import typer

from kerascnn_apps.signals import ended_by_sigterm

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_MIB = 2**20


def serve(
    folders: Annotated[
        list[Path], typer.Argument(help="Runs, their export folders, or exports of any format.")
    ],
    name: Annotated[
        list[str] | None,
        typer.Option(help="NAME=DIR, the name of a model; by default the name of its folder."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="NAME:LABEL=VERSION, a label for /v1/models/NAME/labels/LABEL."),
    ] = None,
    keep_versions: Annotated[
        int, typer.Option(min=1, help="How many of the newest versions of each model are served.")
    ] = 1,
    poll_seconds: Annotated[
        float, typer.Option(min=0, help="How often to look for new versions; 0 for never.")
    ] = 2.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that share the port, each with the models.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Serve on Ray: local, auto, or a cluster such as ray://host:10001.",
        ),
    ] = None,
    replicas: Annotated[
        str, typer.Option(help="Replicas on Ray, such as 2, or 1-4 as the load needs.")
    ] = "1",
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File of keys, one a line; requests then need one (Bearer)."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Origin of a web page that may ask from elsewhere.")
    ] = None,
    max_batch: Annotated[
        int, typer.Option(min=1, help="Largest number of images in one call.")
    ] = 32,
    max_delay_ms: Annotated[
        float, typer.Option(min=0, max=10_000, help="Time to wait for a fuller batch.")
    ] = 0.0,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Images that may wait; more get status 429.")
    ] = 128,
    max_images: Annotated[
        int, typer.Option(min=1, help="Images of one request; more get 413.")
    ] = 64,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pixels of the images of one request; more get 413. By default 25 million, or 2.1 "
            "million where the model computes on each pixel.",
        ),
    ] = None,
    max_body_mb: Annotated[
        int, typer.Option(min=1, help="Size of one request in MiB; more gets 413.")
    ] = 16,
    max_held_mb: Annotated[
        int, typer.Option(min=1, help="MiB of all requests together; more get 429.")
    ] = 1024,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Open connections; more get 429.")
    ] = 512,
    request_seconds: Annotated[
        float, typer.Option(min=0.001, help="Time to compute a request; then 504.")
    ] = 30.0,
    header_seconds: Annotated[
        float, typer.Option(min=0.001, help="Time for headers to arrive; then 408.")
    ] = 10.0,
    body_seconds: Annotated[
        float, typer.Option(min=0.001, help="Time for a body to arrive; then 408.")
    ] = 30.0,
    drain_seconds: Annotated[
        float, typer.Option(min=0, help="Time to finish requests after SIGTERM.")
    ] = 30.0,
):
    """Serve exported models: classes, masks, or larger images, over HTTP and on a page."""
    fewest, most = _checked_replicas(replicas, ray, workers, port)
    with ended_by_sigterm("SIGTERM: the server ended."), _figures_of(workers):
        with _installed_by("serve", "`kerascnn serve`"):
            from kerascnn_apps.serve.limits import Limits
            from kerascnn_apps.serve.plan import Plan
            from kerascnn_apps.serve.process import run_here
            from kerascnn_apps.serve.workers import run_workers
        limits = Limits(
            max_body=max_body_mb * _MIB,
            max_pixels=max_pixels,
            max_images=max_images,
            max_queue=max_queue,
            max_held=max_held_mb * _MIB,
            max_connections=max_connections,
            max_batch=max_batch,
            max_delay=max_delay_ms / 1000,
            request_seconds=request_seconds,
            header_seconds=header_seconds,
            body_seconds=body_seconds,
            drain_seconds=drain_seconds,
        )
        named = named_folders(folders, name or ())
        labels = labels_of(label or (), named)
        keys = tuple(read_keys(api_key_file)) if api_key_file is not None else ()
        origins = tuple(allow_origin or ())
        plan = Plan(named, limits, keep_versions, labels, poll_seconds, keys, origins)

        def on_ready(*served):
            for line in _ready_lines(host, not keys, *served):
                typer.echo(line)

        if ray is not None:
            with _installed_by("ray", "`kerascnn serve --ray`"):
                from kerascnn_apps.serve.on_ray import run_on_ray
            run_on_ray(plan, host, port, on_ready, ray, fewest, most)
        elif workers > 1:
            run_workers(plan, host, port, on_ready, workers)
        else:
            run_here(plan, host, port, on_ready)


@contextlib.contextmanager
def _figures_of(workers):
    """Makes metrics count for all workers, where there are several."""
    with _installed_by("serve", "`kerascnn serve`"):
        from kerascnn_apps.serve.workers import shared_figures
    with shared_figures() if workers > 1 else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _installed_by(extra, user):
    """Says how to install what an import in the context does not find."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"{user} needs {error.name}: pip install 'kerascnn[{extra}]'."
        ) from error


def _ready_lines(host, is_open, models, port, processes=None):
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    for name, version, platform in models:
        yield f"Serving {name}, version {version} ({platform}): {url}/v2/models/{name}"
    yield f"Try it at {url}/ ({f'{processes}; ' if processes else ''}Ctrl+C ends the server)"
    if is_open and host not in ("127.0.0.1", "localhost", "::1"):
        yield "Everybody who reaches this address may ask; --api-key-file restricts it."


def _checked_replicas(replicas, ray, workers, port):
    from kerascnn.arguments import UsageError

    if ray is None:
        if replicas != "1":
            raise UsageError("`--replicas` needs `--ray`; `--workers` needs no Ray.")
    elif workers > 1:
        raise UsageError("`--workers` must not be given with `--ray`: use `--replicas`.")
    elif port == 0:
        raise UsageError("`--port` must be at least 1 with `--ray`; got 0.")
    return replicas_of(replicas)


def replicas_of(word):
    """Returns the smallest and the largest number of replicas of a word such as `2` or `1-4`.

    Raises:
        UsageError: if it is neither.
    """
    from kerascnn.arguments import UsageError

    found = re.fullmatch(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?", word)
    if found is None or int(found[1]) > int(found[2] or found[1]):
        raise UsageError(
            f"`--replicas` must be a number of at least 1, or a range such as 1-4; got {word!r}."
        )
    return int(found[1]), int(found[2] or found[1])


def named_folders(folders, names=()):
    """Returns the folders by the names of their models.

    Args:
        folders: list of paths.
        names: list of str, each `NAME=DIR`.

    Raises:
        UsageError: if a name is wrong or two models have it.
    """
    from kerascnn.arguments import UsageError
    from kerascnn_apps.serve.models import model_name

    chosen = {}
    for word in names:
        name, equals, folder = word.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise UsageError(
                f"`--name` must be NAME=DIR, a name of letters, digits, '_', '.' and '-'; got "
                f"{word!r}."
            )
        chosen[Path(folder).resolve()] = name
    found = {}
    for folder in folders:
        # What a path cannot have is taken out of the name of a folder.
        name = chosen.pop(folder.resolve(), None) or re.sub(
            r"[^A-Za-z0-9_.-]+", "-", model_name(folder)
        )
        if name in found:
            raise UsageError(
                f"Two models have the name {name!r} ({found[name]} and {folder}): name one with "
                f"--name NAME={folder}."
            )
        found[name] = folder
    if chosen:
        raise UsageError(
            f"`--name` must name one of the folders that are served; got {next(iter(chosen))}."
        )
    return found


def labels_of(words, named):
    """Returns `{name: {label: version}}` of words such as `digits:stable=3`.

    Raises:
        UsageError: if a word is none, or has an unknown name.
    """
    from kerascnn.arguments import UsageError

    found = {}
    for word in words:
        target, _, version = word.partition("=")
        name, _, label = target.partition(":")
        if name not in named or not _NAME.fullmatch(label) or not version.isdecimal():
            raise UsageError(
                f"`--label` must be NAME:LABEL=VERSION with the name of a model "
                f"({', '.join(named)}); got {word!r}."
            )
        found.setdefault(name, {})[label] = int(version)
    return found


def read_keys(path):
    """Returns the keys in a file, one a line.

    Raises:
        UsageError: if there is none.
    """
    from kerascnn.arguments import UsageError

    keys = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    keys = [key for key in keys if key]
    if not keys:
        raise UsageError(f"{path} must have a key in each line; it is empty.")
    return keys
