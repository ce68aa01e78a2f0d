"""Imports every models module, so that Base.metadata is complete for Alembic and tests."""

from app import auth
from app.core import events, heartbeat, presence
from app.core.db import Base
from disputes import models as disputes
from invoices import models as invoices
from letters import models as letters

metadata = Base.metadata
modules = (auth, events, heartbeat, presence, invoices, disputes, letters)
