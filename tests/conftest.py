"""What every kind of test shares."""

pytest_plugins = ("tests.database",)
