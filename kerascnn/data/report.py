"""How a folder was interpreted: printed before a training, and kept in its recipe."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from kerascnn.data.splits import SPLITS

# With more classes than this, only the smallest and the largest counts are printed.
_LISTED = 12


@dataclass(frozen=True)
class Report:
    """How a folder was interpreted.

    Args:
        layout: str, the arrangement of the files.
        splits: `{split: source of the split}`.
        counts: `{split: number of images}`.
        classes: `{class: number of images}`, if images have classes.
        images: str, color modes, bit depths and sizes.
        masks: str, how masks are interpreted.
        notes: messages, such as which files were ignored.
        value_ranges: `{type: (low, high)}` by which values of more than eight bits are scaled.
        mask_values: optional str, the `mask_values` option, if given.
        mask_colors: optional str, the `mask_colors` option, if given.
        fingerprint: str, as `kerascnn.data.fingerprint.fingerprint` returns it.
    """

    layout: str
    splits: Mapping[str, str]
    counts: Mapping[str, int]
    classes: Mapping[str, int] = field(default_factory=dict)
    images: str = ""
    masks: str = ""
    notes: tuple[str, ...] = ()
    value_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mask_values: str | None = None
    mask_colors: str | None = None
    fingerprint: str = ""

    def lines(self):
        """Returns the lines to print: two, and one for each note."""
        parts = ", ".join(
            f"{split} {self.counts[split]:,}" + (f" ({source})" if source else "")
            for split, source in ((split, self.splits.get(split, "")) for split in SPLITS)
        )
        if self.classes:
            parts += f"; {self._classes()}"
        files = [self.layout, self.images]
        if self.masks:
            files.append(f"masks: {self.masks}")
        lines = [f"data:        {parts}", f"files:       {'; '.join(filter(None, files))}"]
        return lines + [f"note:        {note}" for note in self.notes]

    def _classes(self):
        found = [f"{name} {count:,}" for name, count in self.classes.items()]
        if len(found) > _LISTED:
            order = sorted(self.classes.items(), key=lambda item: item[1])
            low, high = order[0], order[-1]
            listed = f"from {low[0]} {low[1]:,} to {high[0]} {high[1]:,}"
        else:
            listed = ", ".join(found)
        return f"{len(found):,} classes: {listed}"

    def record(self):
        """Returns the values that the recipe of a run keeps."""
        names = ("layout", "splits", "classes", "images", "masks", "notes")
        return {name: value for name, value in asdict(self).items() if name in names}
