"""Hypothesis without a stopwatch: a loaded machine makes a test slow, never wrong."""

from hypothesis import HealthCheck, settings

settings.register_profile("amiable", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("amiable")
