"""structlog on standard logging: an error calls whoever is on duty, whatever renders the log.

pip install structlog . ./plugins/logging
DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER/79161234567 python structlog_alerts.py
"""

import logging
import os

import structlog
from devinotify_logging import DevinoHandler

logging.basicConfig(
    format="%(message)s",
    level=logging.INFO,
    # A few of a storm are sent, and never more than its limits allow; what may have been sent is not sent again.
    handlers=[logging.StreamHandler(), DevinoHandler(os.environ["DEVINOTIFY_URL"], level="ERROR")],
)
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)

if __name__ == "__main__":
    log = structlog.get_logger("backup")
    log.info("this calls nobody", host="db3")
    log.error("the backup has failed", host="db3")
