"""The ASGI application."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from ariadne.asgi import GraphQL
from ariadne.explorer import ExplorerGraphiQL, ExplorerHttp405
from graphql import DocumentNode
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from api.jobs.searches import Searches
from api.schema.build import build_schema
from api.schema.context import Context
from api.server.cost import check_cost, cost_of
from api.server.documents import Documents
from api.server.errors import ErrorFormatter, logger
from api.server.limits import Limits
from api.server.transport import BodyLimit, HttpHandler, SocketHandler
from explorer import registry
from graphdb.errors import ExplorerError, InputError
from graphdb.settings import Settings
from graphdb.store import Store

READS = 16
READY_S = 2.0
FIRST_QUERY = Path(__file__).with_name("first.graphql")


def create_app(
    store: Store,
    settings: Settings,
    *,
    limits: Limits | None = None,
    production: bool = False,
    allowed_hosts: Sequence[str] = ("*",),
    searches: int = 2,
    prepare: bool = False,
) -> Starlette:
    """Returns the API over an open store, which the caller must close.

    Args:
        store: the database.
        settings: the settings of the same database, for searches, which open it in separate processes.
        limits: the limits of one request.
        production: disable introspection, the GraphiQL page and hints in errors that reveal names of the schema.
        allowed_hosts: the accepted values of the Host header.
        searches: the number of searches that may run at the same time.
        prepare: import PyTorch and the recipes while the server starts, so that no request waits for them.
    """
    limits = limits or Limits()
    reads = ThreadPoolExecutor(READS, "read")
    simulations = ThreadPoolExecutor(os.cpu_count() or 1, "simulate")
    running = Searches(settings, searches)

    def context(request: object, data: object) -> Context:
        return Context(store, running, reads, simulations)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        stopping = threading.Event()
        if prepare:
            simulations.submit(_import_libraries, stopping)
        yield
        stopping.set()
        reads.shutdown(wait=False, cancel_futures=True)
        simulations.shutdown(wait=False, cancel_futures=True)

    async def ready(request: Request) -> JSONResponse:
        # One indexed look-up; `open_store` brought the schema up to date before the application was created.
        try:
            async with asyncio.timeout(READY_S):
                await context(request, None).read(store.architectures.get_many, ["ready"])
        except (ExplorerError, TimeoutError) as error:
            reason = str(error) or f"The database has not answered within {READY_S:g} s."
            return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)
        return JSONResponse({"status": "ok"})

    graphql = _graphql(context, limits, production)
    app = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route("/livez", _alive),
            Route("/readyz", ready),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
            Middleware(BodyLimit, limits=limits),
        ],
        lifespan=lifespan,
    )
    app.state.searches = running
    return app


def _graphql(context: Any, limits: Limits, production: bool) -> GraphQL:
    schema = build_schema()
    documents = Documents(limits, introspection=not production)

    def admit(context: object, operation_name: str | None, variables: dict[str, Any], document: DocumentNode) -> None:
        check_cost(cost_of(schema, document, variables, operation_name), limits.cost)

    return GraphQL(
        schema,
        context_value=context,
        # ariadne calls this hook between validation and execution of a document, when the cost must be checked.
        root_value=admit,
        query_parser=documents.parse,
        query_validator=documents.validate,
        introspection=not production,
        explorer=ExplorerHttp405() if production else ExplorerGraphiQL(title="Explorer", default_query=_first_query()),
        logger=_silent(),
        error_formatter=ErrorFormatter(hints=not production),
        http_handler=HttpHandler(limits),
        websocket_handler=SocketHandler(connection_init_wait_timeout=timedelta(seconds=limits.execution_s)),
    )


def _import_libraries(stopping: threading.Event) -> None:
    """Imports the slow libraries, which the schema does not need, unless the server is stopping."""
    from explorer.learning import similarity  # noqa: F401

    for name in registry.recipes():
        if stopping.is_set():
            return
        try:
            registry.recipe(name)
        except InputError as error:
            logger.warning("%s", error)


async def _alive(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _first_query() -> str:
    return FIRST_QUERY.read_text(encoding="utf-8")


def _silent() -> logging.Logger:
    """A logger for ariadne, which logs each refused query with its stack; the formatter logs what matters."""
    silent = logger.getChild("ariadne")
    silent.disabled = True
    return silent
