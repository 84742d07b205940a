"""What holds for every test: a property is no question of speed, and CI asks the same examples every time."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")
