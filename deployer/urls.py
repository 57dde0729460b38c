"""The whole HTTP surface: the service's own routes and the admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("", include("tasks.urls")),
]

handler400 = "tasks.api.problems.bad_request"
handler404 = "tasks.api.problems.not_found"
handler500 = "tasks.api.problems.server_error"
