"""Logs of a task, wherever they are kept."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.content import attachment
from tasks.api.v1 import serializers
from tasks.api.v1.base import FILE, OF_TASK, Resource
from tasks.orchestrator import logs


@extend_schema(tags=["logs"], parameters=OF_TASK)
class Logs(Resource):
    """Logs that agents posted, the output of runs, and the stages of rounds."""

    serializer_class = serializers.LogOut
    pagination_class = None  # type: ignore[assignment]
    filter_backends = []
    lookup_field = "filename"
    lookup_value_regex = r"[^/]{1,200}"

    @extend_schema(responses=serializers.LogOut(many=True))
    def list(self, request: Request, task_id: str) -> Response:
        return Response(self.get_serializer(logs.all_of(self.task()), many=True).data)

    @extend_schema(responses=FILE, parameters=[OpenApiParameter("filename", str, OpenApiParameter.PATH)])
    def retrieve(self, request: Request, task_id: str, filename: str) -> HttpResponse:
        found = logs.find(self.task(), filename)
        if found is None:
            raise Http404
        return attachment(request._request, found.filename, found.content.encode("utf-8", "replace"), "text/plain; charset=utf-8")
