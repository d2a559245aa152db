"""README's examples run as they stand."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_python_examples_run_one_after_the_other():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
        if names["model"].name == "sequential":
            assert names["model"].output_shape == (None, 64, 64, 16)
    assert names["model"].history.history["accuracy"][-1] > 0.8


def test_links_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    local = [link for link in links if not link.startswith("http")]
    assert len(local) > 20
    assert not [link for link in local if not (ROOT / link).exists()]


def test_commands_are_known():
    """Every line `kerascnn ...` of a shell block has a command and options that exist."""
    from typer.main import get_command

    from kerascnn_apps.cli import app

    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("kerascnn")]
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        command = get_command(app)
        while words and hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
