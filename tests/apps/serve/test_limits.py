import io
import json
import logging
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.apps.serve.fakes import brightness, client_of, gray_png, limits, refused

pytestmark = pytest.mark.extra("serve")


def bomb(width, height):
    """A small PNG file of a huge image of one bit a pixel."""

    def chunk(name, content):
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_an_image_gets_the_models_outputs(tmp_path):
    with client_of(tmp_path) as client:
        for value, name in ((10, "dark"), (200, "light")):
            found = client.post("/predict", content=gray_png(value)).json()
            assert found == {"class_id": value // 200, "class_name": name, "mean": value}


@pytest.mark.parametrize("body", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\xff"])
def test_what_is_no_image_gets_a_sentence(tmp_path, body):
    with client_of(tmp_path) as client:
        refused(client.post("/predict", content=body), 400, f"got {len(body)} bytes.")
        assert client.post("/predict", content=gray_png(3)).status_code == 200


def test_formats_besides_png_and_jpeg_are_refused(tmp_path):
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, "TIFF")
    with client_of(tmp_path) as client:
        refused(client.post("/predict", content=file.getvalue()), 400, "PNG or JPEG")


def text_png(value, chunk):
    """A small PNG file with a text, compressed where the chunk is not tEXt."""
    file, text = io.BytesIO(), PngInfo()
    text.add_text("key", "a" * 100_000 if chunk == "zTXt" else "a", zip=chunk == "zTXt")
    Image.new("L", (5, 4), value).save(file, "PNG", pnginfo=text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "in_thread"),
    [
        (gray_png(200), False),
        (text_png(200, "tEXt"), False),
        (text_png(200, "zTXt"), True),
        (gray_png(200, 64, 64), False),
        (gray_png(200, 64, 65), True),
    ],
    ids=["small", "text", "compressed text", "4096 pixels", "more pixels"],
)
def test_only_what_is_decoded_in_no_time_is_decoded_in_the_event_loop(
    tmp_path, monkeypatch, file, in_thread
):
    from kerascnn.data.images import EncodedImage

    threads, decode = [], EncodedImage.decode

    def watched(*arguments):
        threads.append(threading.current_thread().name)
        return decode(*arguments)

    monkeypatch.setattr(EncodedImage, "decode", watched)
    with client_of(tmp_path) as client:
        assert client.post("/predict", content=file).json()["class_name"] == "light"
    (thread,) = threads
    assert thread.startswith("decode") == in_thread


def test_pixels_are_counted_before_decoding(tmp_path):
    file = bomb(20_000, 20_000)
    assert len(file) < 60_000
    with client_of(tmp_path, limits=limits(max_pixels=100)) as client:
        begin = time.monotonic()
        refused(client.post("/predict", content=file), 413, "at most 100 pixels together")
        assert time.monotonic() - begin < 1
        assert client.post("/predict", content=gray_png(1, 10, 10)).status_code == 200
        refused(client.post("/predict", content=gray_png(1, 10, 11)), 413, "100 pixels")
        array = np.zeros((2, 10, 6, 1), int).tolist()
        refused(
            client.post("/v1/models/gray:predict", json={"instances": array}), 413, "100 pixels"
        )


def test_pixels_of_all_images_of_a_request_count_together(tmp_path):
    import base64

    files = [{"b64": base64.b64encode(gray_png(1, 6, 10)).decode()}] * 2
    body = {"signature_name": "encoded_images", "instances": files}
    with client_of(tmp_path, limits=limits(max_pixels=100)) as client:
        refused(client.post("/v1/models/gray:predict", json=body), 413, "100 pixels together")


def test_a_jpeg_file_of_many_scans_is_refused(tmp_path):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    encoded = file.getvalue()
    at = encoded.index(b"\xff\xda")
    scan = encoded[at:-2]
    with client_of(tmp_path) as client:
        assert client.post("/predict", content=encoded).status_code == 200
        many = encoded[:at] + scan * 200 + encoded[-2:]
        refused(client.post("/predict", content=many), 400, "at most 100 scans")
        # A long run of one byte is read once, and markers without a segment hide no scans.
        begin = time.monotonic()
        run = encoded[:at] + b"\xff" * 2**20 + b"\x00" + scan * 200
        refused(client.post("/predict", content=run), 400, "at most 100 scans")
        assert time.monotonic() - begin < 5
        hidden = encoded[:at] + scan[:-4] + b"\xff\x02\xff\xff" + scan * 200 + encoded[-2:]
        refused(client.post("/predict", content=hidden), 400, "at most 100 scans")
        # Phones put a film behind the image, and a small image with scans of its own before it.
        film = np.random.default_rng(0).bytes(2**16) + b"\xff\xda" * 200
        assert client.post("/predict", content=encoded + film).status_code == 200
        preview = b"Exif" + scan * 200
        segment = b"\xff\xe1" + struct.pack(">H", 2 + len(preview)) + preview
        metadata = encoded[:2] + segment + encoded[2:]
        assert client.post("/predict", content=metadata).status_code == 200


def test_a_large_body_is_refused_whether_it_says_so_or_not(tmp_path):
    with client_of(tmp_path, limits=limits(max_body=1000)) as client:
        refused(client.post("/predict", content=bytes(1001)), 413, "at most 1,000 bytes")
        pieces = (bytes(100) for _ in range(11))
        refused(client.post("/predict", content=pieces), 413, "at most 1,000 bytes")
        refused(client.post("/predict", content=bytes(1000)), 400, "got 1000 bytes")


def test_images_of_a_request_are_limited(tmp_path):
    with client_of(tmp_path, limits=limits(max_images=2)) as client:
        for count, status in ((2, 200), (3, 413)):
            body = {"instances": np.zeros((count, 2, 2, 1), int).tolist()}
            assert client.post("/v1/models/gray:predict", json=body).status_code == status


def test_a_full_queue_gets_429_and_empties_again(tmp_path):
    entered, gate = threading.Event(), threading.Event()

    def slow(images):
        entered.set()
        assert gate.wait(20)
        return brightness(images)

    with client_of(tmp_path, {"gray": slow}, limits(max_queue=2)) as client:
        statuses = []

        def ask():
            statuses.append(client.post("/predict", content=gray_png(5)).status_code)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert entered.wait(10)
        while "kerascnn_queue_images 2.0" not in client.get("/metrics").text:
            time.sleep(0.01)
        response = client.post("/predict", content=gray_png(5))
        refused(response, 429, "2 images wait already")
        assert response.headers["retry-after"] == "1"
        gate.set()
        for thread in threads:
            thread.join()
        assert statuses == [200, 200]
        assert client.post("/predict", content=gray_png(5)).status_code == 200


def test_the_memory_of_all_requests_is_limited(tmp_path):
    with client_of(tmp_path, limits=limits(max_held=1000)) as client:
        assert client.post("/predict", content=gray_png(5)).status_code == 200
        refused(client.post("/predict", content=gray_png(5, 11, 11)), 429, "all the memory")
        refused(client.post("/predict", content=bytes(1001)), 429, "all the memory")
        assert client.post("/predict", content=gray_png(5)).status_code == 200
        assert "kerascnn_held_bytes 0.0" in client.get("/metrics").text


def test_a_slow_model_gets_504(tmp_path):
    gate = threading.Event()

    def slow(images):
        gate.wait(20)
        return brightness(images)

    with client_of(tmp_path, {"gray": slow}, limits(request_seconds=0.1)) as client:
        refused(client.post("/predict", content=gray_png(5)), 504, "within 0.1 seconds")
        gate.set()
        assert "kerascnn_queue_images 0.0" in client.get("/metrics").text


def test_a_failing_model_gets_500_and_the_server_stays(tmp_path, caplog):
    def failing(images):
        if images.mean() == 5:
            raise RuntimeError("secret reason")
        return brightness(images)

    with client_of(tmp_path, {"gray": failing}) as client:
        response = client.post("/predict", content=gray_png(5))
        refused(response, 500, "its log has the reason")
        assert "secret" not in response.text
        assert "secret reason" in caplog.text
        assert client.post("/predict", content=gray_png(6)).status_code == 200


def test_a_failing_output_is_the_callers_fault(tmp_path):
    def picky(images):
        raise ValueError("The model cannot take this input (too small).")

    with client_of(tmp_path, {"gray": picky}) as client:
        refused(client.post("/predict", content=gray_png(5)), 400, "too small")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("image/png", 200),
        ("application/octet-stream", 200),
        ("application/x-www-form-urlencoded", 200),  # what curl says by default
        ("application/json", 415),
        ("text/html; charset=utf-8", 415),
    ],
)
def test_content_type_of_an_image(tmp_path, content_type, status):
    with client_of(tmp_path) as client:
        headers = {"content-type": content_type}
        response = client.post("/predict", content=gray_png(5), headers=headers)
        assert response.status_code == status


def test_content_type_of_json_and_compression(tmp_path):
    with client_of(tmp_path) as client:
        for path in ("/v1/models/gray:predict", "/v2/models/gray/infer"):
            headers = {"content-type": "image/png"}
            refused(client.post(path, content=b"{}", headers=headers), 415, "must be JSON")
            headers = {"content-encoding": "gzip", "content-type": "application/json"}
            refused(client.post(path, content=b"{}", headers=headers), 415, "not be compressed")


def test_forms(tmp_path):
    with client_of(tmp_path) as client:
        files = {"image": ("photo.png", gray_png(5), "image/png")}
        assert client.post("/predict", files=files).json()["mean"] == 5
        headers = {"content-type": "multipart/form-data; boundary=x"}
        response = client.post("/predict", content=b"nonsense", headers=headers)
        assert response.status_code == 400
        headers = {"content-type": "multipart/form-data"}
        response = client.post("/predict", content=b"nonsense", headers=headers)
        refused(response, 400, "boundary")
        text = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc\r\n--x--\r\n'
        headers = {"content-type": "multipart/form-data; boundary=x"}
        refused(client.post("/predict", content=text, headers=headers), 400, "must have one file")
        two = [("image", ("a.png", gray_png(5))), ("image", ("b.png", gray_png(6)))]
        refused(client.post("/predict", files=two), 400, "Too many files")


def test_keys(tmp_path):
    with client_of(tmp_path, keys=["first", "second"]) as client:
        for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/"):
            assert client.get(path).status_code == 200
        for headers in (
            {},
            {"authorization": "Bearer third"},
            {"authorization": "Basic first"},
            {"x-api-key": ""},
        ):
            response = client.get("/v2/models/gray", headers=headers)
            refused(response, 401, "Authorization: Bearer KEY")
            assert response.headers["www-authenticate"] == "Bearer"
        for headers in ({"authorization": "Bearer second"}, {"x-api-key": "first"}):
            assert client.get("/v2/models/gray", headers=headers).status_code == 200
        assert client.get("/metrics").status_code == 401


def test_other_origins_only_where_allowed(tmp_path):
    headers = {"origin": "https://example.org"}
    with client_of(tmp_path / "a") as client:
        assert "access-control-allow-origin" not in client.get("/healthz", headers=headers).headers
    with client_of(tmp_path / "b", origins=["https://example.org"]) as client:
        found = client.get("/healthz", headers=headers).headers["access-control-allow-origin"]
        assert found == "https://example.org"


def test_other_origins_with_a_key(tmp_path):
    """A browser asks without the key first, and shows a page no error without the header."""
    origin = {"origin": "https://example.org"}
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    with client_of(tmp_path, keys=["first"], origins=["https://example.org"]) as client:
        preflight = client.options("/predict", headers={**origin, **asks})
        assert preflight.status_code == 200
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "x-api-key" in preflight.headers["access-control-allow-headers"]
        for key, status in ({}, 401), ({"x-api-key": "first"}, 200):
            found = client.get("/v2/models/gray", headers={**origin, **key})
            assert found.status_code == status
            assert found.headers["access-control-allow-origin"] == "https://example.org"


def test_the_log_has_a_line_of_json_for_each_request(tmp_path):
    from kerascnn_apps.serve.log import JsonLines

    records = []

    class Lines(logging.Handler):
        def emit(self, record):
            records.append(json.loads(JsonLines().format(record)))

    logger = logging.getLogger("kerascnn.serve")
    handler, level = Lines(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with client_of(tmp_path) as client:
            records.clear()
            client.post("/predict?secret=1", content=gray_png(5))
            client.get("/nowhere%1b[31m%0a")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    first, second = records
    assert (first["event"], first["status"], first["model"], first["version"]) == (
        "request",
        200,
        "gray",
        1,
    )
    assert first["path"] == "/predict"
    assert (second["status"], second["path"]) == (404, "/nowhere\x1b[31m\n")


def test_figures_for_prometheus(tmp_path):
    from prometheus_client.parser import text_string_to_metric_families

    with client_of(tmp_path) as client:
        client.post("/predict", content=gray_png(5))
        client.post("/predict", content=b"")
        client.get("/nowhere")
        response = client.get("/metrics")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples["kerascnn_requests_total", "/predict", "200"] == 1
    assert samples["kerascnn_requests_total", "/predict", "400"] == 1
    assert samples["kerascnn_requests_total", "404", "other"] == 1
    assert samples["kerascnn_request_seconds_count", "/predict"] == 2
    assert samples["kerascnn_batch_images_sum", "gray"] == 1
    assert samples["process_resident_memory_bytes",] > 1e6
