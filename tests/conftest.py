"""What every test may use."""

pytest_plugins = (
    "tests.fixtures_db",
    "tests.fixtures_mail",
    "tests.fixtures_hypothesis",
    "tests.fixtures_pipeline",
    "tests.fixtures_progress",
)
