"""Joins the pieces in which the output of a cell arrives.

IPython's `%%bash` sends it in pieces of 100 bytes; MyST-NB 1.4 would end each with a new line.
"""

from myst_nb.core import render


def setup(app):
    """Joins the pieces before MyST-NB merges them."""
    merge = render.coalesce_streams
    render.coalesce_streams = lambda outputs: merge(joined(outputs))
    return {"parallel_read_safe": True}


def joined(outputs):
    """Returns the outputs of a cell with all pieces of a stream in the first of them."""
    found, streams = [], {}
    for output in outputs or []:
        if output["output_type"] != "stream":
            found.append(output)
        elif output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            streams[output["name"]] = output
            found.append(output)
    return found
