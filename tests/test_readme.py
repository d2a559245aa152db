"""README's examples run as they stand."""

import re
from pathlib import Path

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def test_python_examples_run_one_after_the_other():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    served = [block for block in blocks if "runs/demo" in block]  # wants the demo's export
    assert len(blocks) == 3
    assert len(served) == 1
    names = {}
    for block in blocks:
        if block not in served:
            exec(compile(block, "README.md", "exec"), names)
    assert names["model"].history.history["accuracy"][-1] > 0.8
