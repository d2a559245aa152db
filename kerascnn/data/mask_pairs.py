"""Pairs images and masks by file name."""

from kerascnn.arguments import UsageError
from kerascnn.data.file_tree import SUFFIXES, composed, find_images

_NAMED = 3
_SEPARATORS = "_-. "
# Number of naming patterns to try.
_TRIED = 64


def paired(image_folders, mask_folders):
    """Pairs the images and masks below folders.

    Names are compared without suffix, in composed Unicode. If they differ, one of the two sets of
    names may have text before or after the common part (`12.jpg`, `12_mask.png`).

    Args:
        image_folders: list of paths.
        mask_folders: list of paths.

    Returns:
        `([(image, mask)], ignored paths, notes)`.

    Raises:
        UsageError: if an image has no mask, or a mask no image.
    """
    images, others = _named(image_folders)
    masks, more = _named(mask_folders)
    others += more
    notes = []
    affixes = ("", "", "", "")
    if images and masks and images.keys() != masks.keys():
        affixes = _affixes(images, masks) or affixes
        if any(affixes):
            notes.append(_said(affixes))
    by_core = {_core(key, affixes[2:]): key for key in masks if _core(key, affixes[2:]) is not None}
    cores = {key: _core(key, affixes[:2]) for key in images}
    lonely = [images[key] for key, core in cores.items() if core not in by_core]
    used = {by_core[core] for core in cores.values() if core in by_core}
    _check_lonely(lonely, [path for key, path in masks.items() if key not in used])
    if not images:
        raise UsageError(f"{image_folders[0]} must have images ({', '.join(SUFFIXES)}); got none.")
    return [(images[key], masks[by_core[cores[key]]]) for key in sorted(images)], others, notes


def _named(folders):
    """Returns `({key: path}, paths of other files)`."""
    found, others = {}, []
    for folder in folders:
        tree = find_images(folder)
        others += tree.others
        for path in tree.images:
            key = composed(path.relative_to(folder).with_suffix("").as_posix())
            if key in found:
                raise UsageError(
                    f"{path} has the name of {found[key]}. Move one of them: `mv {path} ..`."
                )
            found[key] = path
    return found, others


def _affixes(images, masks):
    """Returns the text around the common part of names: (image, mask) x (before, after)."""
    keys, others = sorted(images), sorted(masks)
    first = keys[0]
    tried = []
    for mask in sorted(others, key=lambda mask: -_common(first, mask)[2])[:_TRIED]:
        i, j, size = _common(first, mask)
        if size:
            tried.append((first[:i], first[i + size :], mask[:j], mask[j + size :]))
    fitting = []
    for affixes in dict.fromkeys(tried):
        cores = [_core(key, affixes[:2]) for key in keys]
        known = {_core(key, affixes[2:]) for key in others} - {None}
        if None not in cores and set(cores) <= known and len(set(cores)) == len(cores):
            fitting.append(affixes)
    if len(fitting) > 1 and any(fitting[0]) and len(masks) > len(images):
        first, second = (_said(affixes).rpartition(" ")[2] for affixes in fitting[:2])
        raise UsageError(
            f"There must be one mask for each image; got {first} and {second} for the image "
            f"{images[keys[0]]}. Move the masks of one kind away: `mv MASKS/*{second[4:]}.* ..`."
        )
    return _at_separators(fitting[0], keys) if fitting else None


def _at_separators(affixes, keys):
    """Extends affixes to the nearest separator where all names agree."""
    cores = [_core(key, affixes[:2]) for key in keys]
    (image_before, image_after), (mask_before, mask_after) = affixes[:2], affixes[2:]
    if len(cores) > 1 and (image_before or mask_before):
        shared = _shared(cores)
        more = shared[: 1 + next((i for i, c in enumerate(shared) if c in _SEPARATORS), -1)]
        image_before, mask_before = image_before + more, mask_before + more
        cores = [core[len(more) :] for core in cores]
    if len(cores) > 1 and (image_after or mask_after):
        shared = _shared([core[::-1] for core in cores])[::-1]
        start = max(shared.rfind(c) for c in _SEPARATORS)
        more = shared[start:] if start >= 0 else ""
        image_after, mask_after = more + image_after, more + mask_after
    return image_before, image_after, mask_before, mask_after


def _shared(texts):
    """Returns the common prefix of all texts."""
    low, high = min(texts), max(texts)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[:size]


def _common(one, other):
    """Returns `(start in one, start in the other, length)` of the longest common part."""
    best, row = (0, 0, 0), [0] * (len(other) + 1)
    for i, letter in enumerate(one):
        last = row
        row = [0] * (len(other) + 1)
        for j, found in enumerate(other):
            if letter == found:
                row[j + 1] = last[j] + 1
                if row[j + 1] > best[2]:
                    best = (i + 1 - row[j + 1], j + 1 - row[j + 1], row[j + 1])
    return best


def _core(key, affixes):
    before, after = affixes
    if len(key) >= len(before) + len(after) and key.startswith(before) and key.endswith(after):
        return key[len(before) : len(key) - len(after)]
    return None


def _said(affixes):
    image, mask = ("…".join(pair) if any(pair) else "NAME" for pair in (affixes[:2], affixes[2:]))
    return f"the mask of {image.replace('…', 'NAME')} is {mask.replace('…', 'NAME')}"


def _check_lonely(images, masks):
    for what, other, lonely in (("mask", "image", images), ("image", "mask", masks)):
        if lonely:
            raise UsageError(
                f"Every image needs a mask of its name, and every mask an image; there is no "
                f"{what} for {listed(lonely)}. Add it, or move the {other} away: "
                f"`mv {lonely[0]} ..`."
            )


def listed(faults):
    """Lists the first faults, and the number of others."""
    more = f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return ", ".join(str(fault) for fault in faults[:_NAMED]) + more
