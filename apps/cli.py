"""The command `kerascnn`: its subcommands, and how it reports errors.

Exit status 0 is success, 2 a usage error, 1 any other failure. On an error, one sentence on
standard error says what is wrong. `--debug`, anywhere in the command line, also shows the
traceback.
"""

import contextlib
import os
import sys
import traceback
from typing import Annotated

import typer

from kerascnn_apps.backend import BACKENDS, not_installed
from kerascnn_apps.demo import demo
from kerascnn_apps.export import EXPORT_OPTIONS, export_function
from kerascnn_apps.messages import readable
from kerascnn_apps.quiet import libraries_silenced
from kerascnn_apps.serve.main import serve
from kerascnn_apps.signals import EndedBySignal
from kerascnn_apps.signatures import with_options
from kerascnn_apps.summary import summary
from kerascnn_apps.task_commands import task_app
from kerascnn_apps.tasks import TASKS

app = typer.Typer(
    help="Convolutional networks: train, evaluate, use and export them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for task in TASKS:
    app.add_typer(task_app(task), name=task.command)
app.command(name="export")(with_options(export_function(), EXPORT_OPTIONS))
app.command()(demo)
app.command()(serve)
app.command()(summary)


def _print_version(wanted):
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kerascnn {version('kerascnn')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; allowed anywhere.")
    ] = False,
):
    """Convolutional networks: train, evaluate, use and export them."""


@app.command()
def models(
    pattern: Annotated[str, typer.Argument(help="Shell pattern, such as 'lenet*'.")] = "*",
    task: Annotated[
        str | None,
        typer.Option(help="classification, segmentation, upscaling or reconstruction."),
    ] = None,
):
    """List the models that can be built by name."""
    from kerascnn.arguments import UsageError
    from kerascnn.models import list_models

    names = list_models(pattern, task)
    if not names:
        known = ", ".join(list_models(task=task))
        raise UsageError(f"`PATTERN` must match a model's name ({known}); got {pattern!r}.")
    for name in names:
        typer.echo(name)


# These errors report a mistake of the caller, as `UsageError` does; all others report a failure.
_WRONG_FILE = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


def main():
    """Runs the console entry point."""
    # TensorFlow turns oneDNN off on processors without AVX-512, although convolutions also train
    # faster with it there.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with contextlib.nullcontext() if "--debug" in sys.argv else libraries_silenced():
        for stream in filter(None, (sys.stdout, sys.stderr)):  # closed ones are `None`
            # File names may contain bytes that are not UTF-8, and the locale may support only
            # ASCII.
            stream.reconfigure(errors="backslashreplace")
        status = run(sys.argv[1:])
    sys.exit(status)


def run(arguments):
    """Runs the command with these arguments and returns its exit status."""
    debug = "--debug" in arguments
    arguments = [_at_home(argument) for argument in arguments if argument != "--debug"]
    try:
        status = app(arguments, prog_name="kerascnn", standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _without_reader()
    except EndedBySignal as ended:
        return _tell(str(ended), ended.exit_status)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if hasattr(error, "format_message"):  # Typer's usage errors format themselves
            return _tell(error.format_message(), error.exit_code)
        status = 2 if _is_wrong_use(error) else 1
        return _tell(_sentence(error), status, getattr(error, "__notes__", ()))
    if status == 130:  # Typer's exit status after Ctrl+C
        _tell("interrupted; the same command, without --force, resumes a training.", status)
    return status


def _at_home(argument):
    """Expands `~` at the start of an argument, also behind `--out=`, where bash does not."""
    option, equals, value = argument.partition("=")
    if option.startswith("--") and equals:
        return f"{option}={os.path.expanduser(value)}"
    return os.path.expanduser(argument)


def _without_reader():
    """Exits as other commands do when nobody reads their output, for example before `| head`."""
    with open(os.devnull, "w") as nowhere:  # Python flushes the rest at exit
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return 128 + 13  # the status that a shell reports for SIGPIPE, which Python ignores


def _is_wrong_use(error):
    arguments = sys.modules.get("kerascnn.arguments")  # if not imported, it raised nothing
    return isinstance(error, _WRONG_FILE) or (
        arguments is not None and isinstance(error, arguments.UsageError)
    )


def _sentence(error):
    # KERAS_BACKEND or Keras's own settings may name a backend that is missing.
    if isinstance(error, ModuleNotFoundError) and error.name in BACKENDS:
        return not_installed(error.name)
    if isinstance(error, ModuleNotFoundError):
        from kerascnn.missing import how_to_install

        sentence = how_to_install(error, "The command")
        if sentence:
            return sentence
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    if text and (isinstance(error, (OSError, RuntimeError)) or _is_wrong_use(error)):
        return text
    return f"unexpected {type(error).__name__} (use --debug for the traceback): {text}"


def _tell(sentence, status, notes=()):
    if not sentence:  # the help was shown instead
        return status
    end = "" if sentence.endswith((".", "?", "!")) else "."
    text = " ".join([f"kerascnn: {sentence}{end}", *notes])
    if sys.stderr is not None:  # it may be closed
        print(readable(text), file=sys.stderr)
    return status
