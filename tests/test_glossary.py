"""Pages, docstrings, comments and messages use the terms of the glossary in docs/en/style.md.

Some words in the left column of the glossary are also right words, so no pattern finds them: "sets"
(a verb), "network" (an architecture), "photos" (a dataset and a folder), "says" and "tell apart",
and "the answer" of a server or a function. Readers of a change look for these.
"""

import functools
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "RELEASING.md", "benchmarks/README.md", "docs/results.md"]
CODE = ["kerascnn", "apps", "benchmarks", "docs/extensions"]

# Each row: a pattern, what to write instead, and a sentence that the pattern finds.
GLOSSARY = [
    (r"\banswers? with\b", "returns", "The model answers with logits."),
    (
        r"\b(model|network|layer|cell|export|runtime)('s|s'|s|s that| that)? answers?\b"
        r"|\banswers? of (a|an|the|its|each|every) (model|network|layer|cell|export|runtime)s?\b",
        "the output, the prediction",
        "Compares the answers of the model.",
    ),
    (
        r"\b(values?|numbers?|floats?|probabilities) from 0 to 1\b(?![.,]?\d)",
        "in [0, 1]",
        "Images with values from 0 to 1.",
    ),
    (r"\bto below\b", "in [0, C)", "A label from 0 to below the number of classes."),
    (r"\bis no (data)?set\b", "is not a dataset", "'x' is no set."),
    (r"\b(is|are) none of (the above|these|them)\b", "is invalid", "If it is none of the above."),
    (
        r"\bthat (is|are) no (?!longer\b|more\b|less\b|\w+er\b)\w",
        "is not a, do not belong to a",
        "Folders that are no run.",
    ),
    (r"\bcounts? nowhere\b", "is ignored", "Pixels that count nowhere."),
    (r"\b(that|those) of\b", "the name of the thing", "Sizes are those of the image."),
    (r"\bbeside\b", "next to", "A file beside the run."),
    (r"\blikewise\b", "also", "Masks likewise."),
    (r"\banew\b", "again", "The image is drawn anew."),
    (r"\bat last\b", "finally", "It ends at last."),
    (r"\bstands? in\b", "is in", "The name stands in the file."),
    (r"\b(tells|told)\b", "reports, reported", "As the user is told."),
    (r"\bsays? of (itself|themselves)\b", "metadata", "What a file says of itself."),
    (r"\bmade of (it|them)\b", "results", "What was made of it."),
    (r"\b(go|goes|going|went|gone) on\b", "resumes", "The run goes on."),
    (r"\bat (its|their) word\b", "is honored", "A suffix is taken at its word."),
    (r"\bthaw(s|ed|ing)?\b", "unfreeze", "Thaws the encoder."),
    (r"\bmend(s|ed|ing)?\b", "fixed", "A broken file is mended."),
    (r"\bpictures?\b", "image", "A folder of pictures."),
    (r"\bdata sets?\b", "dataset", "A large data set."),
    (r"\bto make small\b", "losses for a task", "What they are trained to make small."),
    (r"\blets\b[^.\0]{0,60}\bbe\b", "sets", "Lets the statistics be computed."),
    (r"\bwhoever\b", "use this to", "This is for whoever trains."),
    (r"\b(measured|run|runs|ran|running) in turn\b", "alternately", "All sides run in turn."),
    (r"\bhow far the ratios?\b", "how much ... deviate", "How far the ratios are from 1."),
]

# Sentences that no pattern finds.
PLAIN = [
    "The file is no longer there, and the copy is one that is no older.",
    "Besides, 16-bit values from 0 to 4095 are scaled.",
    "Sets the seed, and returns the output of the model.",
    "There is no run in this folder. Image 3 is the best of those in the folder.",
    "The server answers within a second. It makes a mosaic of the tiles.",
    "The standard deviation is computed over the batch, with values in [0, 1].",
]


def page_text(text):
    """Returns the text of a page without inline code and without the glossary itself."""
    text = re.sub(r"^\| not \| but \|\n(\|.*\n)*", _only_newlines, text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]+`", "", text)


def code_text(source):
    """Returns the comments and strings of Python source, each on its line.

    Strings without a space are names or keys. Code ends a sentence, which a NUL stands for.
    """
    lines = [""] * (source.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in ("NL", "INDENT", "DEDENT", "FSTRING_START", "FSTRING_END"):
            continue
        text = "\0"
        if kind == "COMMENT":
            text = token.string.lstrip("#")
        elif kind in ("STRING", "FSTRING_MIDDLE") and " " in token.string:
            text = _string_text(token.string)
        for number, line in enumerate(text.split("\n"), token.start[0] - 1):
            lines[number] += line
    return "\n".join(lines)


def _string_text(string):
    text = re.sub(r"^[a-zA-Z]{0,2}('{3}|\"{3}|'|\")|('{3}|\"{3}|'|\")$", "", string)
    text = re.sub(r"^ *(>>>|\.\.\.) .*$", "\0", text, flags=re.MULTILINE)  # examples
    text = re.sub(r"^ +\w+: ", "\0", text, flags=re.MULTILINE)  # names of arguments
    return re.sub(r"`[^`]+`", _only_newlines, text)


def _only_newlines(match):
    return "\n" * match[0].count("\n")


def found_in(text, pattern):
    """Yields the line number and the words of each match, also of words on two lines."""
    for match in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
        yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split())


@functools.cache
def texts():
    """Returns `{path: text to search}` of all pages and all code."""
    pages = [ROOT / page for page in PAGES] + sorted((ROOT / "docs" / "en").rglob("*.md"))
    pages.append(ROOT / "apps" / "serve" / "page.html")
    code = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {path: page_text(path.read_text("utf-8")) for path in pages}
    found |= {path: code_text(path.read_text("utf-8")) for path in code}
    return {path.relative_to(ROOT): text for path, text in found.items()}


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [pytest.param(pattern, instead, id=instead) for pattern, instead, _ in GLOSSARY],
)
def test_no_text_uses_the_left_column(pattern, instead):
    found = [
        f"{path}:{line}: {words}"
        for path, text in texts().items()
        for line, words in found_in(text, pattern)
    ]
    assert not found, f"{len(found)} to write as {instead!r}:\n" + "\n".join(found)


@pytest.mark.parametrize(("pattern", "instead", "sentence"), GLOSSARY)
def test_a_word_of_the_left_column_is_found(pattern, instead, sentence):
    assert list(found_in(sentence, pattern)), instead
    assert list(found_in(sentence.replace(" ", "\n    "), pattern)), instead


@pytest.mark.parametrize("sentence", PLAIN)
def test_plain_english_is_not_found(sentence):
    assert not [pattern for pattern, _, _ in GLOSSARY if list(found_in(sentence, pattern))]


def test_comments_and_strings_are_searched_and_code_is_not():
    source = '''def beside(pictures):
    """Draws what is

    >>> beside(a picture)

    Args:
        pictures: list, as `a picture` is; it lies
            beside it.
    """
    key = {"pictures": 1, "of": 2}
    # A file made
    # of it.
    raise ValueError(
        f"Write it {key} "
        "it anew."
    )
'''
    text = code_text(source)
    found = [
        (line, words)
        for pattern in (r"\bbeside\b", r"\bpictures?\b", r"\bmade of (it|them)\b", r"\banew\b")
        for line, words in found_in(text, pattern)
    ]
    assert found == [(8, "beside"), (11, "made of it"), (15, "anew")]


def test_the_glossary_itself_is_not_searched():
    page = (
        "Words:\n\n| not | but |\n|---|---|\n| beside | next to |\n\nIt is `beside` x,\nbeside y.\n"
    )
    assert list(found_in(page_text(page), r"\bbeside\b")) == [(8, "beside")]
