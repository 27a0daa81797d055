"""``{% load devinotify %}``: ``{% devinotify_panel %}`` tells whoever may see it how accounts stand."""

from __future__ import annotations

from typing import Any

from django import template

from devinotify_django import conf, panel

register: template.Library = template.Library()


@register.inclusion_tag("admin/devinotify/panel.html", takes_context=True)
def devinotify_panel(context: Any) -> dict[str, Any]:  # noqa: ANN401 - Django brings no types
    """Show the panel of all entries of ``DEVINOTIFY``."""
    request = context.get("request")
    may = request is not None and request.user.has_perm("devinotify.view_outboxrow")
    return {"panels": panel.panels(conf.aliases()) if may else [], "request": request}
