"""Fonts for scripts that Matplotlib's default font lacks."""

import functools
import importlib.util
import inspect
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

# Parts of the names of fonts with many scripts, to try first
_LARGE = ("cjk", "noto", "ipa", "gothic", "unifont", "droid", "arial uni")
# Fonts with a box for every character, such as the one that Matplotlib contains
_BOXES = "lastresort"
# Packages that contain a font, and its path in them
_PACKAGES = {"matplotlib_fontja": "fonts/ipaexg.ttf"}
_SHOWN = 10

_Arguments = ParamSpec("_Arguments")


class MissingFontWarning(UserWarning):
    """Warns that no installed font has the characters of a name."""


def in_fonts(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Decorates a function so that its figures use fonts with all required characters.

    If no font has them, class names are replaced by class indices, and characters in other texts by
    their codes, with a `MissingFontWarning`.

    Args:
        draw: function that returns a figure; its argument `class_names`, and `class_name` in dicts
            in other arguments, are class names.

    Returns:
        function with the same arguments.
    """
    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def drawn(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        bound = signature.bind(*args, **kwargs)
        families, missing = fonts_for(set("".join(_texts(list(bound.arguments.values())))))
        if missing:
            shown = " ".join(sorted(missing)[:_SHOWN]) + (" ..." if len(missing) > _SHOWN else "")
            warnings.warn(
                f"No font has the characters {shown}; figures show class indices instead of these "
                "names. Install one: `pip install 'kerascnn[fonts]'` (Japanese and Chinese "
                "characters), or a system package such as fonts-noto-cjk.",
                MissingFontWarning,
                stacklevel=2,
            )
            for name, value in bound.arguments.items():
                bound.arguments[name] = _without(value, missing, name == "class_names")
        with matplotlib.rc_context({"font.family": families}):
            return draw(*bound.args, **bound.kwargs)

    return drawn


def fonts_for(characters: set[str]) -> tuple[list[str], set[str]]:
    """Finds fonts that have the given characters.

    Args:
        characters: set of str.

    Returns:
        `(font families, characters that no font has)`; the first family is Matplotlib's default.
    """
    families = list(matplotlib.rcParams["font.family"])
    own = font_manager.findfont(font_manager.FontProperties(family=families))
    missing = {c for c in characters if _is_drawn(c)} - _characters_of(own)
    if missing:
        for path, family in _fonts():
            found = missing & _characters_of(path)
            if found:
                families.append(family)
                missing -= found
            if not missing:
                break
    return families, missing


def _is_drawn(character):
    return unicodedata.category(character)[0] not in "CZM"


@functools.lru_cache(maxsize=512)
def _characters_of(path):
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):  # a file that is no longer a font
        return frozenset()


@functools.lru_cache(maxsize=1)
def _fonts():
    """Returns `(path, family)` of the installed fonts, the largest ones first."""
    for package, inside in _PACKAGES.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if Path(folder, inside).is_file():
                font_manager.fontManager.addfont(Path(folder, inside))
    fonts = {
        font.fname: font.name
        for font in font_manager.fontManager.ttflist
        if _BOXES not in font.name.casefold().replace(" ", "")
    }
    return sorted(
        fonts.items(),
        key=lambda item: (not any(part in item[1].casefold() for part in _LARGE), item[0]),
    )


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))


def _without(value, missing, is_class, number=None):
    """Replaces characters that no font has."""
    if isinstance(value, str):
        if not missing & set(value):
            return value
        if is_class and number is not None:
            return str(number)
        return "".join(f"\\u{ord(c):04x}" if c in missing else c for c in value)
    if isinstance(value, list | tuple):
        return [_without(item, missing, is_class, i) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            key: _without(item, missing, key == "class_name", number) for key, item in value.items()
        }
    return value
