"""The admin's skin: name, colours, stylesheet, and where its sidebar and dashboard come from (django-unfold 0.91).

Everything is named as a string or computed per request, so that the settings can import this before the apps are loaded:
https://unfoldadmin.com/docs/configuration/settings/
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("tasks/admin.css")


def script(request: HttpRequest) -> str:
    return static("tasks/admin.js")


def keep(request: HttpRequest) -> str:
    return static("tasks/keep.js")


def favicon(request: HttpRequest) -> str:
    return static("tasks/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Deployer",
    "SITE_HEADER": "Deployer",
    "SITE_SUBHEADER": "from brief to live page",
    "SITE_SYMBOL": "rocket_launch",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [stylesheet],
    "SCRIPTS": [script, keep],
    "DASHBOARD_CALLBACK": "tasks.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "tasks.admin.navigation.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 262)",
            "100": "oklch(93.5% .032 262)",
            "200": "oklch(88% .062 262)",
            "300": "oklch(80% .11 263)",
            "400": "oklch(70% .165 264)",
            "500": "oklch(61% .205 266)",
            "600": "oklch(54% .22 268)",
            "700": "oklch(48% .2 269)",
            "800": "oklch(42% .165 269)",
            "900": "oklch(37% .13 268)",
            "950": "oklch(27% .09 268)",
        },
    },
}
