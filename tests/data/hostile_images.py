"""Hostile image files, and a process that reads them all within limits.

    python -m tests.data.hostile_images FOLDER    # reads every file below; prints one line each

A line is `ok`, the sentence of an error, or `FAULT` with what was not foreseen.
"""

import os
import random
import resource
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 17
_FORMATS = {
    "bmp": "BMP",
    "gif": "GIF",
    "jpg": "JPEG",
    "png": "PNG",
    "ppm": "PPM",
    "tif": "TIFF",
    "webp": "WEBP",
}
_OTHERS = ("EPS", "ICO", "PCX", "PDF", "SGI", "TGA", "XBM")


def chunk(name, content=b""):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png(width, height, depth=8, color=0, interlace=0, data=None):
    """A PNG file of any header; by default without pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    pixels = b"" if data is None else chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND")


def make(folder, count):
    """Writes so many files: bombs, other formats, odd headers, and cut and mutated images."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(SEED)
    pixels = np.random.default_rng(SEED).integers(0, 256, (24, 20, 3), np.uint8)
    whole = {}
    for suffix, kind in _FORMATS.items():
        Image.fromarray(pixels).save(folder / f"whole.{suffix}", kind)
        whole[suffix] = (folder / f"whole.{suffix}").read_bytes()
    for kind in _OTHERS:
        mode = "1" if kind == "XBM" else "RGB"
        Image.fromarray(pixels).convert(mode).save(folder / f"{kind.lower()}.png", kind)
    for side in (30_000, 100_000, 2**31 - 1):
        (folder / f"bomb{side}.png").write_bytes(png(side, side))
        (folder / f"bomb{side}.ppm").write_bytes(b"P6 %d %d 255\n" % (side, side))
        (folder / f"bomb{side}.gif").write_bytes(
            b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0"
        )
    for depth in (1, 2, 4, 8, 16, 255):
        for color in (0, 2, 3, 4, 6, 9):
            (folder / f"odd{depth}_{color}.png").write_bytes(
                png(3, 3, depth, color, data=b"\0" * 99)
            )
    (folder / "text.png").write_bytes(
        png(4, 4, data=b"\0" * 20)[:-12]
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 10**8))
        + chunk(b"IEND")
    )
    (folder / "empty.png").write_bytes(b"")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "link.png").symlink_to("whole.png")
    os.mkfifo(folder / "fifo.png")
    (folder / "folder.png").mkdir()
    while len(list(folder.iterdir())) < count:
        suffix, content = draw.choice(sorted(whole.items()))
        content = bytearray(content)
        for _ in range(draw.randint(0, 6)):
            content[draw.randrange(len(content))] = draw.choice((0, 1, 127, 128, 255))
        if draw.random() < 0.3:
            content = content[: draw.randrange(len(content))]
        (folder / f"{len(list(folder.iterdir()))}.{suffix}").write_bytes(content)


def peak_memory():
    """Peak resident memory in bytes; `ru_maxrss` may be that of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_all(folder):
    """Reads all files as image, as mask and as what a folder is checked by; prints a line each."""
    from kerascnn.arguments import UsageError
    from kerascnn.data import UnreadableImageError, read_image, read_mask
    from kerascnn.data.scan import facts_of

    expected = (UnreadableImageError, UsageError, FileNotFoundError)
    for path in sorted(Path(folder).iterdir()):
        for read in (read_image, read_mask, facts_of):
            try:
                read(path)
                line = "ok"
            except expected as error:
                line = str(error)
            except BaseException as error:
                line = f"FAULT {type(error).__name__}: {error}"
            print(f"{path.name}\t{read.__name__}\t{line}")
    print("peak", peak_memory())
