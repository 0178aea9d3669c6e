"""Published files: given, cached, fetched, damaged, out of reach."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.schedules import PublishedTable
from tilegrad.schedules.download import PublishedFile, locate

CONTENT = b"prob.R,prob.S\n" * 5_000
RIGHT = hashlib.sha256(CONTENT).hexdigest()

Respond = Callable[[int], tuple[int, bytes]]
"""From the number of the request to the announced length and what is sent."""


class Server:
    """Serves one file, each request as ``respond`` says; counts the requests."""

    def __init__(self, respond: Respond) -> None:
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                length, content = respond(outer.requests)
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/table.csv"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Respond], Server]]:
    """Return a function that starts a server; nobody waits between tries."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    servers: list[Server] = []

    def start(respond: Respond) -> Server:
        servers.append(Server(respond))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache directory; no directory of published data is named."""
    monkeypatch.delenv("TILEGRAD_DATA", raising=False)
    directory = tmp_path / "cache"
    monkeypatch.setattr("tilegrad.schedules.download.cache_directory", lambda: directory)
    return directory


def whole(_: int) -> tuple[int, bytes]:
    """Send all."""
    return len(CONTENT), CONTENT


def test_fetched_once_then_found_in_the_cache(
    serve: Callable[[Respond], Server], cache: Path
) -> None:
    server = serve(whole)
    file = PublishedFile("dosa/table.csv", server.url, RIGHT)
    assert locate(file) == cache / "dosa" / "table.csv"
    assert locate(file).read_bytes() == CONTENT
    assert server.requests == 1


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("damage", [CONTENT[:-20], b"", CONTENT.replace(b"R", b"r", 1)])
def test_damaged_cached_file_is_fetched_again(
    serve: Callable[[Respond], Server], damage: bytes
) -> None:
    server = serve(whole)
    file = PublishedFile("table.csv", server.url, RIGHT)
    locate(file).write_bytes(damage)
    assert locate(file).read_bytes() == CONTENT
    assert server.requests == 2


@pytest.mark.parametrize(
    "first",
    [(len(CONTENT), CONTENT[:100]), (100, CONTENT[:100]), (5, b"oops!")],
    ids=["cut", "short", "other"],
)
def test_truncated_download_is_tried_again(
    serve: Callable[[Respond], Server], cache: Path, first: tuple[int, bytes]
) -> None:
    server = serve(lambda number: first if number == 1 else whole(number))
    found = locate(PublishedFile("table.csv", server.url, RIGHT))
    assert found.read_bytes() == CONTENT
    assert server.requests == 2
    assert [path.name for path in cache.iterdir()] == ["table.csv"]


def test_download_that_stays_wrong_is_refused_and_nothing_kept(
    serve: Callable[[Respond], Server], cache: Path
) -> None:
    server = serve(lambda _: (5, b"oops!"))
    with pytest.raises(DataError, match=r"table.csv is neither in .*SHA-256") as refused:
        locate(PublishedFile("table.csv", server.url, RIGHT))
    assert server.url in str(refused.value)
    assert list(cache.iterdir()) == []


def test_no_network_is_one_error_with_file_address_and_variable(
    serve: Callable[[Respond], Server], cache: Path
) -> None:
    server = serve(whole)
    server.close()
    with pytest.raises(DataError) as refused:
        locate(PublishedFile("dosa/table.csv", server.url, RIGHT))
    message = str(refused.value)
    for part in ("dosa/table.csv", server.url, "TILEGRAD_DATA (unset)", str(cache)):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("place", ["dosa/table.csv", "table.csv"])
def test_given_directory_comes_first(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    given = tmp_path / "given" / place
    given.parent.mkdir(parents=True)
    given.write_bytes(CONTENT)
    monkeypatch.setenv("TILEGRAD_DATA", str(tmp_path / "given"))
    file = PublishedFile("dosa/table.csv", "http://nowhere.invalid/table.csv", RIGHT)
    assert locate(file) == given
    assert not cache.exists()
    given.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=rf"{given.name}: is truncated or altered.*{RIGHT}"):
        locate(file)


def test_given_directory_that_is_none_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILEGRAD_DATA", str(tmp_path / "absent"))
    with pytest.raises(DataError, match=r"TILEGRAD_DATA=.*absent is not a directory"):
        PublishedTable("gemmini_rtl", load_accelerator("gemmini")).load()
    assert not cache.exists()
