"""Prefect's own suite of tests for blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite

from devinotify_prefect import DevinoNotification

if TYPE_CHECKING:
    from prefect.blocks.core import Block


class TestDevinoNotification(BlockStandardTestSuite):
    """What Prefect holds every block to."""

    @pytest.fixture
    def block(self) -> type[Block]:
        """The block that is tested."""
        return DevinoNotification

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """The picture is one of Prefect's: it is on Prefect's own site, where tests do not go."""
        assert block._logo_url is not None
        assert CustomWebhookNotificationBlock._logo_url == block._logo_url
