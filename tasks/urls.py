"""Routes of the service."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tasks.api import pages, repos, student_report
from tasks.api.notify import NotifyView
from tasks.api.ready import ReadyView
from tasks.api.status import BannerView, HealthView, LogsView, RoundStatusView, StatusView

urlpatterns = [
    path("", BannerView.as_view(), name="banner"),
    path("ready", ReadyView.as_view(), name="ready"),
    path("notify", NotifyView.as_view(), name="notify"),
    path("status", StatusView.as_view(), name="status"),
    path("status/<uuid:id>", RoundStatusView.as_view(), name="round-status"),
    path("health", HealthView.as_view(), name="health"),
    path("healthcheck", HealthView.as_view()),
    path("logs", LogsView.as_view(), name="logs"),
    path("api/v1/", include("tasks.api.v1.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None), name="docs"),
    path("", include(pages.urlpatterns)),
    path("", include(repos.urlpatterns)),
    path("", include(student_report.urlpatterns)),
    path("", include("tasks.api.compat_urls")),
]
