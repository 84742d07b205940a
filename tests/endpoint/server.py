"""The server itself: HTTP, server-sent events and faults. It knows neither API by heart, only a table of the two."""

from __future__ import annotations

import json
import select
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import ModuleType
from typing import Any

from typing_extensions import Self

from tests.endpoint import chat, responses
from tests.endpoint.answers import Answer, Refusal, Request, Script

APIS: dict[str, ModuleType] = {"/v1/chat/completions": chat, "/v1/responses": responses}


class Endpoint:
    """A server on a port of its own, from `with` to its end; `pace` is a pause after each piece, in seconds.

    `asked` are the requests in the order in which they came, `told` the answers to them; `left` counts the clients that
    went away before the end.
    """

    def __init__(
        self, script: Script | Iterable[str | Answer | Refusal] = (), *, pace: float = 0.0, port: int = 0
    ) -> None:
        """`script` answers a request, or is the list of the answers, whose last one is for all further requests."""
        self.pace = pace
        self.asked: list[Request] = []
        self.told: list[Answer | Refusal] = []
        self.left = 0
        self.stalled = threading.Event()
        self.closing = threading.Event()
        self._answers = [] if callable(script) else list(script)
        self._script = script if callable(script) else self._next
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._server.endpoint = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL has to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def env(self) -> dict[str, str]:
        """The environment in which clients find it."""
        names = {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": "sk-test", "OPENAI_MODEL": "mock-1"}
        return {**names, "NO_PROXY": "127.0.0.1"}

    def will(self, *answers: str | Answer | Refusal) -> None:
        """Answer like this from now on, and forget what was before."""
        with self._lock:
            self._answers[:] = answers
            self.asked.clear()
            self.told.clear()
            self.stalled.clear()
            self.left = 0

    def take(self, path: str, body: dict[str, Any], key: str, retry: int) -> tuple[Request, Answer | Refusal]:
        """Note a request; return it, and what the script answers."""
        with self._lock:
            request = Request(path, body, next(self._numbers), key, retry, APIS[path].messages(body))
            self.asked.append(request)
            answer = self._script(request)
            self.told.append(Answer(answer) if isinstance(answer, str) else answer)
            return request, self.told[-1]

    def _next(self, request: Request) -> str | Answer | Refusal:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class _Handler(BaseHTTPRequestHandler):
    # A fixed length or chunks: else a connection that breaks would look like one that ended.
    protocol_version = "HTTP/1.1"

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint  # type: ignore[attr-defined,no-any-return]

    def log_message(self, *args: Any) -> None:
        """Say nothing: the terminal belongs to the tests."""

    def do_POST(self) -> None:
        self.close_connection = True  # clients of several event loops come here, which could not share one
        api = APIS.get(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if api is None:
            self._send(404, {"error": {"message": f"no {self.path} here"}})
            return
        retry = int(self.headers.get("x-stainless-retry-count") or 0)
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            request, answer = self.endpoint.take(self.path, body, key, retry)
        except Exception as error:  # a script that does not fit what it is asked: the client says so
            self._send(400, {"error": {"message": f"the script failed: {error!r}", "code": "script"}})
            return
        try:
            if isinstance(answer, Refusal):
                self._refuse(answer)
            elif body.get("stream"):
                self._stream(api, request, answer)
            else:
                self._send(200, api.whole(request, answer))
        except (BrokenPipeError, ConnectionResetError):
            self.endpoint.left += 1

    def _refuse(self, refusal: Refusal) -> None:
        error = {"message": refusal.message, "type": "server_error", "param": None, "code": refusal.code or None}
        more = {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:g}"}
        self._send(refusal.status, {"error": error}, more)

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        more = {"Content-Type": "application/json", "Content-Length": str(len(data)), "Connection": "close"}
        for name, value in {**more, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, api: ModuleType, request: Request, answer: Answer) -> None:
        self.send_response(200)
        for name, value in {
            "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", "Connection": "close",
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        for data in api.opening(request):
            self._say(data)
        for sent, data in enumerate(api.pieces(request, answer)):
            if answer.fault and sent == answer.after and self._fail(answer):
                return
            self._say(data)
            if self.endpoint.pace:
                time.sleep(self.endpoint.pace)
        for data in api.closing(request, answer):
            self._say(data)
        self.wfile.write(b"0\r\n\r\n")

    def _say(self, data: str) -> None:
        # One event a line; an event of the API `responses` says its name.
        events = "".join(f"{_name(one)}data: {one}\n\n" for one in data.splitlines()).encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(events), events))
        self.wfile.flush()

    def _fail(self, answer: Answer) -> bool:
        """Do what the answer's fault says; return whether nothing more is to be said."""
        if answer.fault == "errs":
            self._say(json.dumps({"error": {"message": "The model is overloaded.", "code": "overloaded"}}))
            self.wfile.write(b"0\r\n\r\n")
        elif answer.fault == "stalls":
            self.endpoint.stalled.set()
            self._wait_for_the_client_to_go()
        return True

    def _wait_for_the_client_to_go(self) -> None:
        while not self.endpoint.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable:  # there is nothing that it could say but goodbye
                self.endpoint.left += 1
                return


def _name(data: str) -> str:
    kind = json.loads(data).get("type") if data.startswith("{") else None
    return f"event: {kind}\n" if kind else ""
