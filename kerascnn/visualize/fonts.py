"""Fonts for names in any script, which Matplotlib's own font lacks."""

import functools
import importlib.util
import inspect
import unicodedata
import warnings
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

# Parts of the names of fonts with many scripts, which are tried first
_LARGE = ("cjk", "noto", "ipa", "gothic", "unifont", "droid", "arial uni")
# Packages that bring a font, and where in them it is
_PACKAGES = {"matplotlib_fontja": "fonts/ipaexg.ttf"}
_SHOWN = 10


class MissingFontWarning(UserWarning):
    """No installed font has the characters of a name, which a figure has to do without."""


def in_fonts(draw):
    """Lets a function draw its texts in fonts that have their characters.

    Where no font has them, names of classes become their numbers and other texts have the codes of
    the characters, with a `MissingFontWarning`.

    Args:
        draw: function that returns a figure; its argument `class_names`, and `class_name` in the
            dicts of others, are names of classes.

    Returns:
        function with the same arguments.
    """
    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        families, missing = fonts_for(set("".join(_texts(list(bound.arguments.values())))))
        if missing:
            shown = " ".join(sorted(missing)[:_SHOWN]) + (" ..." if len(missing) > _SHOWN else "")
            warnings.warn(
                f"No font has the characters {shown}, so that figures show the numbers of classes "
                "instead of these names. Install one: `pip install 'kerascnn[fonts]'` (Japanese "
                "and Chinese characters), or a package of the system such as fonts-noto-cjk.",
                MissingFontWarning,
                stacklevel=2,
            )
            for name, value in bound.arguments.items():
                bound.arguments[name] = _without(value, missing, name == "class_names")
        with matplotlib.rc_context({"font.family": families}):
            return draw(*bound.args, **bound.kwargs)

    return drawn


def fonts_for(characters):
    """Finds the fonts that characters need.

    Args:
        characters: set of str.

    Returns:
        `(font families, characters that no font has)`; the first family is Matplotlib's own.
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
    except (OSError, RuntimeError, ValueError):  # a file that is no font any more
        return frozenset()


@functools.lru_cache(maxsize=1)
def _fonts():
    """Returns `(path, family)` of the installed fonts, the largest ones first."""
    for package, inside in _PACKAGES.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if Path(folder, inside).is_file():
                font_manager.fontManager.addfont(Path(folder, inside))
    fonts = {font.fname: font.name for font in font_manager.fontManager.ttflist}
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
    """Returns texts without characters that cannot be drawn."""
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
