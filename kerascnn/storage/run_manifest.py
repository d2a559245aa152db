"""Lists the files that a run wrote, so that clearing it removes no other files."""

import hashlib
import json
import os
import secrets
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from kerascnn.storage.atomic_write import put_in_place, sync, temporary_next_to

MANIFEST_NAME = "manifest.jsonl"
_MARK = {"kerascnn": "manifest", "format": 1}


class Manifest:
    """`manifest.jsonl`: one JSON object per line, only appended to.

    The first line is `{"kerascnn": "manifest", "format": 1, "run": ID}`. Each other line is one of

    - `{"file": PATH, "sha256": DIGEST}`, appended before a file with this content is moved into
      place, so that the manifest lists every file of the run even if the process is killed. A file
      without a digest belongs to a run that is older than the manifest;
    - `{"files": PATTERN}`, files that another library writes;
    - `{"moving_to": NAME}`: the run is being moved to this folder next to its own;
    - `{"replaces": NAME, "run": ID}`: the earlier run that was moved to this folder is deleted when
      this run has its first checkpoint;
    - `{"replaced": NAME}`: it has been deleted.

    Args:
        folder: path of the run folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.path = self.folder / MANIFEST_NAME

    @property
    def lines(self):
        """The objects in the file; empty without a file, or for another program's file."""
        try:
            text = self.path.read_bytes()
        except OSError:
            return []
        found = []
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:  # a process was killed while writing this line
                continue
        header = found[0] if found and isinstance(found[0], dict) else {}
        if any(header.get(key) != value for key, value in _MARK.items()):
            return []
        return [line for line in found if isinstance(line, dict)]

    @property
    def exists(self):
        """Whether a run has a manifest."""
        return bool(self.lines)

    @property
    def is_foreign(self):
        """Whether the file belongs to another program."""
        return not self.exists and os.path.lexists(self.path) and os.lstat(self.path).st_size > 0

    @property
    def run_id(self):
        """An id that a run shares only with its copies; `None` without a file."""
        lines = self.lines
        return lines[0].get("run") if lines else None

    @property
    def moving_to(self):
        """The name of the folder that the run is being moved to, or `None`."""
        names = [line["moving_to"] for line in self.lines if "moving_to" in line]
        return str(names[-1]) if names else None

    @property
    def replaces(self):
        """`{name: id}` of the earlier runs to delete when this one has a checkpoint."""
        found = {}
        for line in self.lines:
            if isinstance(line.get("replaces"), str):
                found[line["replaces"]] = line.get("run")
            if isinstance(line.get("replaced"), str):
                found.pop(line["replaced"], None)
        return found

    def begin(self, replaces=None, files=()):
        """Creates the file, or replaces the manifest of a run that was cleared.

        Args:
            replaces: optional dict, earlier runs as in the property `replaces`.
            files: paths of files of the run with unknown content.
        """
        lines = [{**_MARK, "run": secrets.token_hex(4)}]
        lines += [{"replaces": name, "run": run} for name, run in (replaces or {}).items()]
        lines += [{"file": name} for name in files]
        if self.exists:
            self.copy_to(self.folder, lines)
        else:
            self.append(*lines)

    def copy_to(self, folder, lines=None):
        """Writes the manifest to another folder, without entries about neighboring folders."""
        if lines is None:
            lines = [line for line in self.lines if line.keys() & {"kerascnn", "file", "files"}]
        with temporary_next_to(folder / MANIFEST_NAME) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in lines))
            put_in_place(temporary, folder / MANIFEST_NAME)

    def append(self, *lines):
        """Appends lines and flushes them to disk."""
        new = not self.path.exists()
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        with open(self.path, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # an incomplete line of a killed process
                    text = b"\n" + text
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync(self.folder)

    def add(self, relative, digest):
        """Lists a file, before it is moved into place."""
        self.append({"file": relative, "sha256": digest})

    def files(self):
        """Returns `{path: set of digests}` of the listed files; an unknown digest is `None`."""
        found = {}
        for line in self.lines:
            if isinstance(line.get("file"), str) and _is_below(line["file"]):
                digest = line.get("sha256")
                found.setdefault(line["file"], set()).add(digest if digest is None else str(digest))
        return found

    def lists(self, relative):
        """Returns whether the run has written a file at this path below its folder."""
        return relative in self.files() or self._fits(relative)

    def present(self):
        """Returns the sorted paths, below the folder, of all listed files that exist."""
        found = {relative for relative in self.files() if os.path.lexists(self.folder / relative)}
        tops = {pattern.partition("/")[0] for pattern in self._patterns()}
        for path in (path for top in tops for path in (self.folder / top).rglob("*")):
            relative = path.relative_to(self.folder).as_posix()
            if self._fits(relative) and not path.is_dir():
                found.add(relative)
        return sorted(relative for relative in found if not _is_folder(self.folder / relative))

    def is_unchanged(self, relative):
        """Returns whether a listed file still has the content that the run wrote."""
        path, digests = self.folder / relative, self.files().get(relative)
        if digests is None:
            return self._fits(relative)
        return path.is_file() and not path.is_symlink() and digest_of(path) in digests

    def _patterns(self):
        found = (line.get("files") for line in self.lines)
        return [pattern for pattern in found if isinstance(pattern, str) and _is_below(pattern)]

    def _fits(self, relative):
        return any(fnmatchcase(relative, pattern) for pattern in self._patterns())


def digest_of(path):
    """Returns the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_below(relative):
    path = PurePosixPath(relative)
    return not path.is_absolute() and ".." not in path.parts and path != PurePosixPath(".")


def _is_folder(path):
    return path.is_dir() and not path.is_symlink()
