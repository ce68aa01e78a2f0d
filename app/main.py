"""The web application: routers, errors, guard. Given its services, it starts nothing by itself."""

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse
from sqlalchemy import text

from app.api import changes, erp, messages, reasons
from app.edge import Guard, Services, SessionDep, install_errors
from app.web import site


def create_app(services: Services) -> FastAPI:
    """The FastAPI application on the given services."""
    app = FastAPI(title="Amiable", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.state.services = services
    app.add_api_route("/healthz", healthz, include_in_schema=False)
    install_errors(app, site.error_page)
    app.include_router(messages.router)
    app.include_router(erp.router)
    app.include_router(changes.router)
    app.include_router(reasons.router)
    site.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Guard, settings=services.settings)
    return app


def healthz(session: SessionDep) -> PlainTextResponse:
    """200 when the application answers and its database does too."""
    session.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")
