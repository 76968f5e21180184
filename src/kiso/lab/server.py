"""The server: a page, its scenes, and a process for each page that is open.

It listens on 127.0.0.1 and nowhere else. A request has to name this host (no DNS rebinding), a
socket has to come from this page (Origin), and both need the session's token. A worker that takes
too long or dies ends its page's run with a sentence, never the server.
"""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import multiprocessing
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["LANGUAGES", "Lab", "catalogue", "make_app", "serve"]

HERE = Path(__file__).parent
LANGUAGES = ("en", "ja", "zh-Hant")
MAX_SESSIONS = 40
MAX_MESSAGE = 1 << 20
MAX_UPLOAD = 20 << 20
TIMEOUT = 60.0  # seconds that an answer may take
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2",
          ".json": "application/json", ".svg": "image/svg+xml", ".html": "text/html"}  # fmt: skip


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """Return all texts of a language: the files of its folder, each under its own name."""
    texts: dict[str, str] = {}
    for path in sorted((HERE / "locales" / language).glob("*.json")):
        for key, text in json.loads(path.read_text("utf-8")).items():
            texts[key if path.stem == "lab" else f"{path.stem}.{key}"] = text
    return texts


class Lab:
    """What all sessions share: the token, the port, the processes."""

    def __init__(
        self, port: int, token: str | None = None, tables: Sequence[tuple[str, bytes]] = ()
    ):
        self.port = port
        self.tables = list(tables)
        self.token = token or secrets.token_urlsafe(16)
        self.open = 0
        self.workers: set[Any] = set()
        self.spare: Any = None
        self.closing = False
        self.starting = anyio.Lock()
        method = "spawn" if sys.platform == "win32" else "forkserver"
        self.processes: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            self.processes.set_forkserver_preload(["kiso.lab._preload"])
        self.limiter = anyio.CapacityLimiter(4 * MAX_SESSIONS)

    # --- processes ------------------------------------------------------------------------

    def start(self) -> Any:
        """Start a worker; return the process and our end of its pipe."""
        from ._session import work

        ours, theirs = self.processes.Pipe()
        process = self.processes.Process(target=work, args=(theirs, self.tables), daemon=True)
        process.start()
        theirs.close()
        worker = process, ours
        self.workers.add(worker)
        return worker

    def take(self) -> Any:
        """Return a worker: the one that stands ready, or a new one."""
        worker, self.spare = self.spare, None
        return worker or self.start()

    def prepare(self) -> None:
        """Let a worker stand ready for the next page."""
        if self.spare is None and not self.closing:
            self.spare = self.start()

    def warm(self) -> None:
        """Compile in the background what is not in Numba's cache yet."""
        from ._session import warm

        process = self.processes.Process(target=warm, daemon=True)
        process.start()
        self.workers.add((process, None))

    def end(self, worker: Any) -> None:
        """End a worker, whatever it is doing."""
        if worker not in self.workers:
            return
        self.workers.discard(worker)
        process, connection = worker
        if connection is not None:
            connection.close()
        process.terminate()
        process.join(1)
        if process.is_alive():
            process.kill()
            process.join(1)

    def end_all(self) -> None:
        """End all workers."""
        self.closing = True
        for process, _ in list(self.workers):
            process.terminate()
        for worker in list(self.workers):
            self.end(worker)

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token: ports of one host share cookies."""
        return f"kiso-lab-{self.port}"

    def may(self, connection: Any) -> str:
        """Return why a request is refused, or nothing."""
        host = connection.headers.get("host", "")
        if host not in {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}:
            return "The lab answers to 127.0.0.1 only."
        origin = connection.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "The lab answers to its own page only."
        given = connection.query_params.get("token") or connection.cookies.get(self.cookie, "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return "Open the address that `kiso lab` prints: it holds the key to this session."
        return ""


def make_app(lab: Lab) -> Starlette:
    """Return the application."""
    secure = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }

    def guarded(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def guard(request: Request) -> Response:
            refused = lab.may(request)
            if refused:
                return PlainTextResponse(refused + "\n", 403, headers=secure)
            return await answer(request)

        return guard

    async def page(request: Request) -> Response:
        response = Response((HERE / "static" / "index.html").read_bytes(), headers=secure,
                            media_type="text/html")  # fmt: skip
        response.set_cookie(lab.cookie, lab.token, httponly=True, samesite="strict", path="/")
        return response

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        path = HERE / "static" / name
        if "/" in name or "\\" in name or path.suffix not in _TYPES or not path.is_file():
            return PlainTextResponse("Not found.\n", 404, headers=secure)
        return Response(path.read_bytes(), headers=secure, media_type=_TYPES[path.suffix])

    async def texts(request: Request) -> Response:
        language = request.path_params["language"]
        if language not in LANGUAGES:
            return PlainTextResponse("Not found.\n", 404, headers=secure)
        return JSONResponse(catalogue(language), headers=secure)

    async def talk(page: WebSocket) -> None:
        if page.headers.get("origin") is None or lab.may(page):
            await page.close(1008)
            return
        await page.accept()
        if lab.open >= MAX_SESSIONS:
            await page.close(1013, "too many pages are open")
            return
        lab.open += 1
        try:
            await _Talk(lab, page).run()
        finally:
            lab.open -= 1

    return Starlette(
        routes=[
            Route("/", guarded(page)),
            Route("/static/{name}", guarded(static)),
            Route("/texts/{language}", guarded(texts)),
            WebSocketRoute("/talk", talk),
        ]
    )


class _Talk:
    """One page and its worker."""

    def __init__(self, lab: Lab, page: WebSocket):
        self.lab = lab
        self.page = page
        self.upload: dict[str, Any] | None = None

    async def run(self) -> None:
        worker = None
        try:
            while True:
                message = await self.page.receive()
                if message["type"] == "websocket.disconnect":
                    return
                request = self._request(message)
                if request is None:
                    continue
                if worker is None:
                    async with self.lab.starting:  # one at a time: two would both prepare a spare
                        worker = await self._thread(self.lab.take)
                        await self._thread(self.lab.prepare)
                if not await self._answer(worker, request):
                    await self._thread(self.lab.end, worker)
                    worker = None
        except WebSocketDisconnect:
            return
        finally:
            if worker is not None:
                with anyio.CancelScope(shield=True):
                    await self._thread(self.lab.end, worker)

    def _request(self, message: Any) -> dict[str, Any] | None:
        """Read what the page says: JSON, or the bytes of a file that was announced."""
        raw = message.get("bytes")
        if raw is not None:
            upload, self.upload = self.upload, None
            if upload is None or len(raw) > MAX_UPLOAD:
                return None
            return {**upload, "raw": raw}
        text = message.get("text") or ""
        if len(text) > MAX_MESSAGE:
            return None
        try:
            request = json.loads(text)
        except ValueError:
            return None
        if not isinstance(request, dict):
            return None
        if request.get("op") == "upload":
            self.upload = {"op": "upload", "id": request.get("id"),
                           "name": str(request.get("name", "table"))[:200]}  # fmt: skip
            return None
        return request

    async def _answer(self, worker: Any, request: dict[str, Any]) -> bool:
        """Hand a request to the worker and its answer to the page; False if it is lost."""
        _, connection = worker
        try:
            with anyio.fail_after(TIMEOUT):
                await self._thread(connection.send, request)
                answer = await self._thread(connection.recv_bytes)
        except TimeoutError:
            text = f"The run was stopped: one answer took longer than {TIMEOUT:.0f} s."
        except (EOFError, OSError):
            text = "The run was stopped: its process ended."
        else:
            await self.page.send_bytes(answer)
            return True
        await self.page.send_text(json.dumps({"id": request.get("id"), "error": text}))
        return False

    async def _thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await anyio.to_thread.run_sync(
            call, *args, limiter=self.lab.limiter, abandon_on_cancel=True
        )


def serve(
    port: int = 0, *, fragment: str = "", language: str | None = None,
    tables: Sequence[tuple[str, bytes]] = (), ready: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Serve the lab on 127.0.0.1 until Ctrl-C.

    Parameters
    ----------
    port : int, default=0
        0 takes a free one.
    fragment : str, default=""
        A permalink's fragment to open.
    language : str or None, default=None
        "en", "ja" or "zh-Hant"; None leaves it to the browser.
    tables : sequence of (name, bytes)
        Files that every page has without an upload.
    ready : callable or None, default=None
        Is called with the address once the server listens.

    Raises
    ------
    OSError
        If the port is taken.
    """
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    lab = Lab(listener.getsockname()[1], tables=tables)
    query = f"?token={lab.token}" + (f"&lang={language}" if language else "")
    address = f"http://127.0.0.1:{lab.port}/{query}" + (f"#{fragment}" if fragment else "")
    app = make_app(lab)

    async def prepare() -> None:
        for call in (lab.prepare, lab.warm):
            await anyio.to_thread.run_sync(call, limiter=lab.limiter, abandon_on_cancel=True)

    class Server(uvicorn.Server):
        """Ends the workers first: what waits for them is then over."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await anyio.to_thread.run_sync(lab.end_all)
            await super().shutdown(sockets)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if ready is not None:
            ready(address)
        async with anyio.create_task_group() as background:
            background.start_soon(prepare)
            yield
            background.cancel_scope.cancel()

    app.router.lifespan_context = lifespan
    config = uvicorn.Config(app, log_level="critical", ws_max_size=MAX_UPLOAD + 1024,
                            access_log=False, server_header=False,
                            timeout_graceful_shutdown=1)  # fmt: skip
    Server(config).run(sockets=[listener])
