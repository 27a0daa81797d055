"""loguru: an error calls whoever is on duty.

pip install loguru . ./plugins/logging
DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER/79161234567 python loguru_alerts.py
"""

import os

from devinotify_logging import DevinoHandler
from loguru import logger

# A few of a storm are sent, and never more than its limits allow; what may have been sent is not sent again.
logger.add(DevinoHandler(os.environ["DEVINOTIFY_URL"]), level="ERROR", format="{message}")


def back_up(host: str) -> None:
    """Copy what is on a host."""
    raise OSError(f"No space left on {host}")


if __name__ == "__main__":
    logger.info("this calls nobody")
    try:
        back_up("db3")
    except OSError:
        logger.exception("the backup has failed")
