"""The fixtures of tests/e2e, for these tests too."""

import importlib.util
import pathlib
import sys

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
event, folder, glue, secret = fixtures.event, fixtures.folder, fixtures.glue, fixtures.secret
sluice = fixtures.sluice
