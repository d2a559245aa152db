"""A headless Chromium, driven by the WebDriver protocol of Debian's `chromium-driver`."""

import base64
import contextlib
import shutil
import subprocess
import tempfile
import time

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
]
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing():
    """What is not installed, or `None`."""
    names = ("chromedriver", "chromium")
    return next((name for name in names if shutil.which(name) is None), None)


class Browser:
    """A window."""

    def __init__(self, session):
        self._session = session

    def call(self, path, **content):
        import httpx

        response = httpx.post(f"{self._session}/{path}", json=content, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()["value"]

    def open(self, url):
        self.call("url", url=url)

    def resize(self, width, height):
        self.call("window/rect", width=width, height=height)

    def run(self, script, *arguments):
        """What a script returns; it may await."""
        body = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...arguments)"
            ".then(done, (error) => done(String(error)));"
        )
        return self.call("execute/async", script=body, args=list(arguments))

    def find(self, selector):
        found = self.call("element", using="css selector", value=selector)
        return found[_ELEMENT]

    def click(self, selector):
        self.call(f"element/{self.find(selector)}/click")

    def type(self, selector, text):
        self.call(f"element/{self.find(selector)}/value", text=text)

    def draw(self, selector, points, kind="mouse"):
        """Moves a pressed pointer along points, as shares of an element's size."""
        box = self.run(
            "const b = document.querySelector(given[0]).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height];",
            selector,
        )

        def move(x, y):
            x, y = box[0] + x * box[2], box[1] + y * box[3]
            return {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20}

        actions = [move(*points[0]), {"type": "pointerDown", "button": 0}]
        actions += [move(*point) for point in points[1:]]
        actions.append({"type": "pointerUp", "button": 0})
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}}
        self.call("actions", actions=[{**pointer, "actions": actions}])

    def wait(self, script, seconds=20):
        """Waits until a script returns something true, and returns it."""
        until = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < until, script
            time.sleep(0.05)
        return found

    def screenshot(self, path):
        import httpx

        shot = httpx.get(f"{self._session}/screenshot", timeout=60).json()["value"]
        path.write_bytes(base64.b64decode(shot))


@contextlib.contextmanager
def chromium(port):
    """Starts a driver on a port and gives a `Browser`."""
    import httpx

    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/status")
                break
            except httpx.HTTPError:
                assert time.monotonic() < until
                time.sleep(0.1)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            options = {"args": [*FLAGS, f"--user-data-dir={folder}"]}
            always = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            response = httpx.post(
                f"{url}/session", json={"capabilities": {"alwaysMatch": always}}, timeout=60
            )
            session = f"{url}/session/{response.json()['value']['sessionId']}"
            yield Browser(session)
            httpx.delete(session, timeout=60)
    finally:
        driver.terminate()
        driver.wait(30)
