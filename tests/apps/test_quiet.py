"""What a process shows of its libraries' own standard error, and when."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

if not hasattr(os, "fork"):
    pytest.skip("the system does not fork processes", allow_module_level=True)

CHATTER = """
os.write(2, b"I0000 00:00:1 1 port.cc:153] oneDNN custom operations are on.\\n")
os.write(2, b"2026-01-01 00:00:00.1: I tensorflow/core/platform/cpu_feature_guard.cc:1] AVX\\n")
for i in range(30):
    os.write(2, b"W0000 00:00:1 1 allocator.cc:1] Allocation %d exceeds free memory.\\n" % i)
os.write(2, b"F0000 00:00:1 1 tensor.cc:1] Check failed: out of memory\\n")
"""


def run(inside, after=""):
    program = f"""
import os, resource, signal, sys
from kerascnn_apps.quiet import libraries_silenced
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
with libraries_silenced():
    print("result", flush=True)
{textwrap.indent(inside, "    ")}
{after}
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,  # for signals to the group
    )


@pytest.mark.parametrize(
    ("ending", "number"),
    [
        ("os.abort()", signal.SIGABRT),
        ("os.kill(os.getpid(), signal.SIGSEGV)", signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", signal.SIGKILL),  # as for lack of memory
    ],
)
def test_a_fatal_error_shows_the_last_lines(ending, number):
    result = run(CHATTER + ending)
    assert result.returncode == -number
    title, *lines = result.stderr.splitlines()
    assert title == "kerascnn: the process was killed; the last log lines of its libraries:"
    assert len(lines) == 10
    assert lines[0].endswith("Allocation 21 exceeds free memory.")
    assert lines[-1].endswith("Check failed: out of memory")


def test_what_only_informs_is_not_shown():
    chatter = "".join(CHATTER.splitlines(keepends=True)[:3])
    result = run(chatter + "os.kill(os.getpid(), signal.SIGTERM)")
    assert result.returncode == -signal.SIGTERM
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("print('our own', file=sys.stderr)", 0, "our own\n"),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
    ],
)
def test_a_process_that_ends_by_itself_shows_only_its_own_lines(ending, status, error):
    result = run(CHATTER + ending)
    assert (result.returncode, result.stdout) == (status, "result\n")
    assert result.stderr.endswith(error)
    assert "Check failed" not in result.stderr


def test_a_slow_end_shows_nothing_either():
    slowly = "import time\nkill = os.kill\nos.kill = lambda *args: (time.sleep(0.5), kill(*args))\n"
    result = run(slowly + CHATTER)
    assert (result.returncode, result.stderr) == (0, "")


def test_nothing_is_left_behind(tmp_path):
    result = run(
        f"os.chdir({str(tmp_path)!r})\n{CHATTER}",
        """
os.write(2, b"what libraries say at the end")
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no child", os.listdir())
""",
    )
    assert result.stdout == "result\nno child []\n"
    assert result.stderr == ""


def test_ctrl_c_reaches_the_command_only():
    ending = """
signal.signal(signal.SIGINT, lambda *_: os.abort())
os.killpg(0, signal.SIGINT)  # as a terminal does
signal.pause()
"""
    result = run(CHATTER + ending)
    assert result.returncode == -signal.SIGABRT
    assert result.stderr.splitlines()[-1].endswith("Check failed: out of memory")
