"""The outbox as the permissions know it: no table is made."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the permissions' model."""

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[object]] = [
        migrations.CreateModel(
            name="OutboxRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
            ],
            options={
                "verbose_name": "SMS",
                "verbose_name_plural": "SMS",
                "permissions": (
                    ("view_full_outboxrow", "Can see numbers and texts in full"),
                    ("retry_outboxrow", "Can send a message again"),
                ),
                "managed": False,
                "default_permissions": ("view",),
            },
        )
    ]
