"""Clears a run: moves its files aside, and deletes them after a new run has started."""

import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path

from kerascnn.storage.atomic_write import make_folder, sync
from kerascnn.storage.file_names import file_name
from kerascnn.storage.run_manifest import MANIFEST_NAME, Manifest


def move_aside(folder, manifest, last):
    """Moves the files that a run wrote to a folder next to its own.

    Everything else in the folder stays in place. If the process is killed, the run is in both
    folders; another call moves the rest.

    Args:
        folder: path of the run folder.
        manifest: `Manifest` of the run.
        last: str, the file that identifies a run; it is moved last.

    Returns:
        path of the new folder, `FOLDER.old-N`.
    """
    real = Path(os.path.realpath(folder))
    name = manifest.moving_to
    # A copy of the folder must not use the same name as the run itself.
    if name is not None and name == _old_name(real, name.rpartition("-")[2]):
        old = real.parent / name
        make_folder(old)
    else:
        old = _new_folder(real)
        manifest.append({"moving_to": old.name})
    present = manifest.present()
    for relative in sorted(present, key=lambda relative: relative == last):
        _move(real / relative, old / relative)
    for relative in present:
        _remove_empty(real / relative, real)
    manifest.copy_to(old)
    manifest.begin({**manifest.replaces, old.name: Manifest(old).run_id})
    return old


def delete_replaced(folder, manifest):
    """Deletes the earlier runs that a run replaces, except files that were changed.

    Args:
        folder: path of the run folder.
        manifest: `Manifest` of the run.
    """
    for old in replaced(folder, manifest):
        _delete(old)
        manifest.append({"replaced": old.name})


def replaced(folder, manifest):
    """Lists the folders of the earlier runs that a run replaces and that still exist."""
    parent = Path(os.path.realpath(folder)).parent
    return [
        parent / name
        for name, run_id in manifest.replaces.items()
        # A copy of a run must not delete the files that the run itself moved aside.
        if Path(name).name == name and run_id and Manifest(parent / name).run_id == run_id
    ]


def _new_folder(real):
    for number in count(1):
        old = real.with_name(_old_name(real, number))
        with suppress(FileExistsError):
            try:
                old.mkdir()
            except PermissionError as error:
                raise PermissionError(
                    f"{real} cannot be cleared: its files are first moved to {old}, and "
                    f"{real.parent} is read-only; choose another folder."
                ) from error
            sync(real.parent)
            return old


def _old_name(real, number):
    return file_name(real.name, f".old-{number}", real.parent)


def _move(source, target):
    make_folder(target.parent)
    shutil.move(source, target)  # copies if a folder of the run is on another disk
    sync(target.parent)
    sync(source.parent)


def _remove_empty(path, root):
    """Removes the empty parent folders of a file up to a root."""
    for parent in path.parents:
        if parent == root:
            return
        with suppress(OSError):
            parent.rmdir()


def _delete(old):
    manifest = Manifest(old)
    listed = manifest.present()
    for relative in listed:
        with suppress(OSError):  # an error must not end the training
            if manifest.is_unchanged(relative):
                (old / relative).unlink()
    for relative in listed:
        _remove_empty(old / relative, old)
    with suppress(OSError):
        if [path.name for path in old.iterdir()] == [MANIFEST_NAME]:
            manifest.path.unlink()
            old.rmdir()
