"""The page in a real browser: nightly, where Chromium is installed."""

import base64
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from tests.apps.serve import browser as browsers
from tests.apps.serve.server import serving, write_brightness, write_larger, write_mask

pytestmark = [pytest.mark.extra("serve"), pytest.mark.nightly]

STATUS = "return document.getElementById('status').textContent"
IN_TIME = "return /Response in \\d+ ms/.test(document.getElementById('status').textContent)"
# A folder to keep the screenshots in
KEPT = os.environ.get("KERASCNN_SCREENSHOTS")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("serving")
    for name in ("brightness", "halves", "larger"):
        (root / name).mkdir()
    write_brightness(root / "brightness", 1)
    write_mask(root / "halves")
    write_larger(root / "larger")
    with serving(root, *(root / name for name in ("brightness", "halves", "larger"))) as server:
        server.root = root
        yield server


@pytest.fixture(scope="module")
def chromium(pytestconfig):
    missing = browsers.missing()
    if missing:
        end = pytest.fail if pytestconfig.getoption("--all-extras") else pytest.skip
        end(f"needs {missing}: apt-get install chromium chromium-driver")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with browsers.chromium(port) as browser:
        yield browser


@pytest.fixture
def page(server, chromium):
    chromium.resize(1000, 900)
    chromium.open(server.url)
    chromium.wait("return models.length")
    return chromium


def choose_model(page, name):
    page.run(
        "const m = document.getElementById('model'); m.value = given[0];"
        "m.dispatchEvent(new Event('change'));",
        name,
    )


def keep(page, tmp_path, name):
    path = Path(KEPT or tmp_path) / f"{name}.png"
    page.screenshot(path)
    with Image.open(path) as image:
        assert image.size[0] > 300


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "flower.jpg"
    Image.fromarray(load_sample_image("flower.jpg")).resize((320, 214)).save(path)
    return path


def light_share(path):
    with Image.open(path) as image:
        return (np.asarray(image, float).mean(axis=-1) > 127).mean()


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_draw_a_digit(page, tmp_path, kind):
    page.draw("#pad", [(0.5, 0.1), (0.5, 0.5), (0.5, 0.9)], kind)
    page.wait(IN_TIME)
    rows = page.run("return [...document.querySelectorAll('#bars li')].map((li) => li.innerText)")
    assert re.fullmatch(r"dark\s+9\d\.\d %", rows[0])
    assert rows[1].startswith("light")
    widths = page.run("return [...document.querySelectorAll('#bars i')].map((i) => i.style.width)")
    assert float(widths[0][:-1]) > 90
    keep(page, tmp_path, f"draw_{kind}")
    page.click("#clear")
    assert page.run("return document.getElementById('bars').hidden")


def test_draw_with_the_keyboard(page):
    page.run("document.getElementById('pad').focus()")
    right, space, delete = "\ue014", " ", "\ue017"
    page.type("#pad", space + 5 * right)
    page.wait(IN_TIME)
    drawn = "return ink.getImageData(0, 0, 280, 280).data.filter((v, i) => i % 4 == 0 && v).length"
    assert page.run(drawn) > 22 * 50
    page.type("#pad", delete)
    assert page.run(drawn) == 0


def test_a_mask_over_the_image(page, tmp_path, photo):
    choose_model(page, "halves")
    assert page.run("return document.getElementById('drawing').hidden")
    page.type("#choose", str(photo))
    page.wait(IN_TIME)
    legend = page.run("return document.getElementById('legend').innerText").splitlines()
    shares = {line.strip().rsplit(": ", 1)[0]: float(line.split()[-2]) for line in legend if line}
    light = 100 * light_share(photo)
    assert shares["Class 4"] == pytest.approx(light, abs=0.2)
    assert shares["Class 1"] == pytest.approx(100 - light, abs=0.2)
    page.run(
        "const o = document.getElementById('opacity'); o.value = 30;"
        "o.dispatchEvent(new Event('input'));"
    )
    assert page.run("return getComputedStyle(overlay).opacity") == "0.3"
    keep(page, tmp_path, "segment")


def test_an_enlarged_image_against_the_original(page, tmp_path, photo):
    choose_model(page, "larger")
    page.type("#choose", str(photo))
    page.wait(IN_TIME)
    assert page.run("return document.getElementById('sizes').textContent") == (
        "320 \u00d7 214 → 640 \u00d7 428 pixels"
    )
    page.run("document.getElementById('slide').focus()")
    page.type("#slide", 20 * "\ue012")  # to the left
    clip = page.run("return getComputedStyle(document.getElementById('original')).clipPath")
    assert clip == "inset(0px 70% 0px 0px)"
    keep(page, tmp_path, "upscale")


def test_paste_drop_and_other_formats(page, tmp_path):
    file = tmp_path / "light.webp"
    Image.new("RGB", (50, 40), (250, 250, 250)).save(file)
    encoded = base64.b64encode(file.read_bytes()).decode()
    for event in ("paste", "drop"):
        page.run(
            "const bytes = Uint8Array.from(atob(given[0]), (c) => c.charCodeAt(0));"
            "const transfer = new DataTransfer();"
            "transfer.items.add(new File([bytes], 'light.webp', {type: 'image/webp'}));"
            "const event = new Event(given[1], {bubbles: true, cancelable: true});"
            "event.clipboardData = event.dataTransfer = transfer;"
            "hideResults(); showStatus(() => ({text: ''})); document.dispatchEvent(event);",
            encoded,
            event,
        )
        page.wait(IN_TIME)
        first = page.run("return document.querySelector('#bars li').innerText")
        assert first.startswith("light")
    assert "@light.png" in page.run("return document.getElementById('command').textContent")


def test_errors_are_shown(page, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    page.type("#choose", str(broken))
    text = page.wait("return document.querySelector('#status.error')?.textContent")
    assert text == "This file is not an image that the browser can read."


def test_an_error_that_is_not_of_the_server_is_shown(page, photo):
    """A proxy before it may respond, and in HTML."""
    page.run(
        "window.fetch = async () => new Response('<html>', {status: 502, headers: {"
        "'Content-Type': 'text/html'}});"
    )
    page.type("#choose", str(photo))
    text = page.wait("return document.querySelector('#status.error')?.textContent")
    assert text == "The request failed with status 502."


def test_narrow_and_in_japanese(page, tmp_path, photo):
    page.resize(400, 850)
    page.open(page.run("return location.href"))
    page.wait("return models.length")
    page.run(
        "const l = document.getElementById('language'); l.value = 'ja';"
        "l.dispatchEvent(new Event('change'));"
    )
    assert page.run("return document.documentElement.lang") == "ja"
    page.draw("#pad", [(0.3, 0.2), (0.7, 0.2), (0.4, 0.9)], "touch")
    page.wait("return /応答時間/.test(document.getElementById('status').textContent)")
    wide = page.run("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    keep(page, tmp_path, "narrow_japanese")


def test_nothing_is_loaded_from_elsewhere(page, server):
    names = page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert names
    assert all(name.startswith(server.url) for name in names)
