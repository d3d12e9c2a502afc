"""HTTP and WebSocket in front of ariadne: checks before a query is read, and the form of refusals."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from ariadne.asgi.handlers import GraphQLHTTPHandler, GraphQLTransportWSHandler
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.server.errors import request_id
from api.server.limits import Limits
from explorer.toolkit.json_file import parsed_json
from graphdb.errors import InputError

PROTOCOL = "graphql-transport-ws"


class BodyLimit:
    """ASGI middleware that reads an HTTP body up to a limit before it is parsed, and limits WebSocket messages."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on requests within the limits."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, self._bounded(receive, send), send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        maximum = self._limits.body_bytes
        declared = Headers(scope=scope).get("content-length", "0")
        try:
            body = None
            if declared.isdecimal() and int(declared[:20]) <= maximum:
                async with asyncio.timeout(self._limits.body_s):
                    body = await _read(receive, maximum)
        except TimeoutError:
            await refused(HTTPStatus.REQUEST_TIMEOUT, "TIMEOUT", "The body took too long.")(scope, receive, send)
            return
        except WebSocketDisconnect:
            return
        if body is None:
            message = f"The body is larger than the {maximum} bytes that are allowed."
            await refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", message)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    def _bounded(self, receive: Receive, send: Send) -> Receive:
        async def bounded() -> Message:
            message = await receive()
            content = message.get("text") or message.get("bytes") or ""
            size = len(content.encode("utf-8", "surrogatepass")) if isinstance(content, str) else len(content)
            if size <= self._limits.body_bytes:
                return message
            await send({"type": "websocket.close", "code": 1009})
            return {"type": "websocket.disconnect", "code": 1009}

        return bounded


async def _read(receive: Receive, maximum: int) -> bytes | None:
    """The whole body; None if it is larger than `maximum`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise WebSocketDisconnect
        body += message.get("body", b"")
        if len(body) > maximum:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def refused(status: HTTPStatus, code: str, message: str) -> JSONResponse:
    """A response in GraphQL's error form to a request that is not a query.

    Args:
        status: the HTTP status.
        code: the code of the error.
        message: one sentence.
    """
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status_code=status)


def problem_of(data: object) -> str | None:
    """The error in the outer form of a GraphQL request, as one sentence; None if there is none."""
    if isinstance(data, list):
        return "Batches are not accepted; send one operation per request."
    if not isinstance(data, Mapping):
        return "A GraphQL request is a JSON object."
    if not isinstance(data.get("query"), str) or not data["query"]:
        return "query must be a text."
    if not isinstance(data.get("variables"), Mapping | None):
        return "variables must be an object."
    if not isinstance(data.get("operationName"), str | None):
        return "operationName must be a text."
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return "The request holds text that is not valid Unicode, or is nested too deeply."
    return None


class HttpHandler(GraphQLHTTPHandler):
    """ariadne's handler, for JSON only, with a time limit and a request id; WebSocket operations use it as well."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits

    async def handle_request_override(self, request: Request) -> Response | None:
        """Refuses a body that is not a JSON object with a query."""
        if request.method != "POST":
            return None
        # Browsers send forms and plain text to other origins without asking first, but not JSON.
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            message = "The content type must be application/json."
            return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "BAD_REQUEST", message)
        try:
            data = parsed_json((await request.body()).decode("utf-8-sig"), "The body", "a request")
        except UnicodeDecodeError:
            return refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "The body is not UTF-8 text.")
        except InputError as error:
            return refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", str(error))
        problem = problem_of(data)
        if problem:
            return refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", problem)
        request.state.data = data
        return None

    async def extract_data_from_request(self, request: Request) -> Any:
        """Returns the data that `handle_request_override` read."""
        return request.state.data

    async def execute_graphql_query(self, request: Any, data: Any, **options: Any) -> tuple[bool, dict[str, Any]]:
        """Executes a query within the time limit."""
        request_id.set(uuid.uuid4().hex)
        try:
            async with asyncio.timeout(self._limits.execution_s):
                result: tuple[bool, dict[str, Any]] = await super().execute_graphql_query(request, data, **options)
                return result
        except TimeoutError:
            message = (
                f"No answer within {self._limits.execution_s:g} s. Ask for less; a mutation that has begun "
                "continues, so check before asking again."
            )
            return False, {"errors": [{"message": message, "extensions": {"code": "TIMEOUT"}}]}

    async def create_json_response(self, request: Request, result: dict[str, Any], success: bool) -> Response:
        """Status 200 for executed queries, 400 for queries refused before."""
        status = HTTPStatus.OK if "data" in result else HTTPStatus.BAD_REQUEST
        return JSONResponse(result, status_code=status, headers={"x-request-id": request_id.get()})


class SocketHandler(GraphQLTransportWSHandler):
    """ariadne's graphql-transport-ws handler, which closes the connection if a client breaks the protocol.

    A connection answers one operation after another, each with the same limits as over HTTP.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses other protocols, and pages of other origins, which browsers allow to open a WebSocket."""
        socket = _Socket(scope, receive, send)
        origin = socket.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
            await socket.close(code=4403)
        elif PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.close(code=4406)
        else:
            await self.handle_websocket(socket)

    async def handle_websocket_message(self, websocket: WebSocket, message: Any, client_context: Any) -> None:
        """Closes with 4400 on a message of another form."""
        if _keeps_to_protocol(message):
            await super().handle_websocket_message(websocket, message, client_context)
        else:
            await websocket.close(code=4400)


def _keeps_to_protocol(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in ("subscribe", "complete"):
        return True
    if not isinstance(message.get("id"), str):
        return False
    return message["type"] == "complete" or problem_of(message.get("payload")) is None


class _Socket(WebSocket):
    async def receive_json(self, mode: str = "text") -> Any:
        try:
            return await super().receive_json(mode)
        except (ValueError, KeyError, RecursionError):  # not JSON, or a binary message
            await self.close(code=4400)
            raise WebSocketDisconnect(4400) from None
