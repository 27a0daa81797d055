"""What devinotify sends, counted and timed by OpenTelemetry, with no personal data.

Installed, it is loaded by the entry-point group ``devinotify`` and reports to the providers that the application sets
for the process; in code, give ``make_plugin_manager`` a ``Metrics`` with providers of your own.
"""

from devinotify_metrics.instruments import INSTRUMENTS, Instrument
from devinotify_metrics.metrics import Metrics

__all__ = ["INSTRUMENTS", "Instrument", "Metrics", "plugin"]

plugin: Metrics = Metrics()
"""What the entry point names; providers that are set later than it is imported count too."""
