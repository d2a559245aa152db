"""Converts records of earlier versions to the current format."""

# Task-specific values of a recipe used to be in a separate part.
_PARTS = ("segmentation", "upscaling")


def upgraded(content):
    """Converts the content of a `recipe.json` to the format of this version.

    Args:
        content: dict, from any version.
    """
    model, data = content.get("model"), content.get("data")
    if not isinstance(model, dict) or not isinstance(data, dict):  # not a run of a task
        return content
    parts = (content.get("training", {}), *(content.get(part, {}) for part in _PARTS))
    if not all(isinstance(part, dict) for part in parts):
        return content
    content = {**content, "training": dict(content.get("training", {}))}
    content.setdefault("task", next((part for part in _PARTS if part in content), "classification"))
    content["model"] = {"options": {}, "weights": None, **model}
    content["data"] = {
        "data_dir": None,
        "version": None,
        "class_names": [],
        "ignored": [],
        "image_shape": None,
        "smallest": 1,
        "value_ranges": {},
        "mask_values": None,
        "mask_colors": None,
        "fingerprint": "",
        "reading": {},
        **data,
    }
    if "num_pictures" in data:
        content["data"]["num_examples"] = content["data"].pop("num_pictures")
    for part in _PARTS:
        content["training"] |= content.pop(part, {})
    content["training"] = {"patience": None, "stop_at": None, **content["training"]}
    if content["task"] == "classification":
        content["training"] = {"class_weights": False, "balance": False} | content["training"]
    if content["task"] == "upscaling":
        content["training"].pop("factor", None)  # a property of the model
    return content
