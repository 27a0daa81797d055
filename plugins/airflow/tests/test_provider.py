"""What Airflow is told of the provider."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

import jsonschema

import devinotify_airflow
from devinotify_airflow import DevinoHook, get_provider_info
from devinotify_airflow.provider import FIELDS

SCHEMAS = ("provider_info.schema.json", "customized_form_field_behaviours.schema.json")


def schema(name: str) -> Any:
    """Return a schema of the Airflow that is installed."""
    return json.loads(files("airflow").joinpath(name).read_text("utf-8"))


def test_by_airflows_schema() -> None:
    """The info is what Airflow's schema asks for."""
    jsonschema.validate(get_provider_info(), schema(SCHEMAS[0]))


def test_the_form_by_airflows_schema() -> None:
    """So is what the hook itself says of the form, for Airflow before 3.2."""
    jsonschema.validate(DevinoHook.get_ui_field_behaviour(), schema(SCHEMAS[1]))


def test_the_form_has_its_fields() -> None:
    """Airflow knows the fields, from the provider's info or, before 3.2, from the hook."""
    program = (
        "from airflow.providers_manager import ProvidersManager as M; print(*M().connection_form_widgets, sep='\\n')"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    found = [line.split("__")[-1] for line in told.stdout.splitlines() if line.startswith("extra__devino__")]
    assert sorted(FIELDS) == sorted(found)


def test_the_entry_point() -> None:
    """Airflow finds the info by its entry point."""
    found = [point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("devinotify")]
    assert [get_provider_info()] == [point.load()() for point in found]


def test_what_it_names_is_there() -> None:
    """Classes and modules are where the info says, and the hook is that of the connection's type."""
    info = get_provider_info()
    (kind,) = info["connection-types"]
    for name in (kind["hook-class-name"], *info["notifications"]):
        module, _, attribute = name.rpartition(".")
        assert attribute in devinotify_airflow.__all__
        assert getattr(devinotify_airflow, attribute) is getattr(import_module(module), attribute)
    for group in (*info["hooks"], *info["operators"]):
        assert [import_module(name) for name in group["python-modules"]]
    assert (DevinoHook.conn_type, DevinoHook.hook_name) == (kind["connection-type"], kind["hook-name"])


def test_what_the_triggerer_imports() -> None:
    """The triggerer imports the notifier in its loop: what takes long to import is left for a thread."""
    program = "import sys, devinotify_airflow.notifier; print(*sys.modules, sep='\\n')"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    heavy = {"devinotify.notifier", "devinotify.outbox", "devinotify.gateway.client", "devinotify.phones"}
    assert set() == heavy & set(told.stdout.split())


def test_public_names() -> None:
    """The package's names are what they are, and no others."""
    assert sorted(devinotify_airflow.__all__) == devinotify_airflow.__all__
    assert [] == [name for name in devinotify_airflow.__all__ if not hasattr(devinotify_airflow, name)]
    assert not hasattr(devinotify_airflow, "DevinoSensor")
