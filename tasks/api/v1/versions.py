"""Code, by task and version."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import CODER
from tasks.api.content import attachment
from tasks.api.schema import example
from tasks.api.v1 import serializers
from tasks.api.v1.base import FILE, OF_TASK, Creates
from tasks.api.v1.uploaded import files_of
from tasks.files.media_types import media_type
from tasks.models import CodeVersion
from tasks.orchestrator import uploads

SAMPLE = {"version": "v1", "note": "first try", "files": [{"path": "main.py", "content": "print('accuracy 0.9')\n"}]}


@extend_schema(tags=["versions"], parameters=OF_TASK)
class Versions(Creates):
    """A task's code: what agents uploaded and what the service's own coder wrote."""

    roles = {"create": (CODER,), "destroy": (CODER,)}
    serializer_class = serializers.VersionOut
    parser_classes = [JSONParser, MultiPartParser, FormParser]
    queryset = CodeVersion.objects.all()
    lookup_field = "version"
    lookup_value_regex = r"[^/]{1,100}"

    def get_serializer_class(self) -> Any:
        return serializers.VersionIn if self.action == "create" else serializers.VersionOut

    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.task().versions.prefetch_related("files"))

    def retrieve(self, request: Request, task_id: str, version: str) -> Response:
        return Response(self.get_serializer(self._version(version)).data)

    @extend_schema(responses={201: serializers.VersionOut}, examples=example(SAMPLE))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        task, body = self.task(), self.valid()
        done = uploads.upload(task, body["version"], files_of(body), self.agent.name, body["note"])
        return Response(serializers.VersionOut(done.version).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, task_id: str, version: str) -> Response:
        for file in self._version(version, kind=CodeVersion.Kind.UPLOAD).files.all():
            uploads.delete_file(file)
        return Response(status=204)

    @extend_schema(responses=FILE, parameters=[OpenApiParameter("filename", str, description="one file; else a zip of all")])
    @action(detail=True, filter_backends=[], pagination_class=None)
    def download(self, request: Request, task_id: str, version: str) -> HttpResponse:
        row = self._version(version)
        name = request.query_params.get("filename")
        if name is None:
            return attachment(request._request, f"task-{row.task_request_id}-{uploads.label_of(row)}.zip", uploads.as_zip(row), "application/zip")
        file = get_object_or_404(row.files.select_related("attachment"), path=name)
        return attachment(request._request, file.path, file.data, media_type(file.path, file.data))

    def _version(self, label: str, **more: Any) -> CodeVersion:
        found = uploads.find(self.task(), label)
        if found is None or any(getattr(found, name) != value for name, value in more.items()):
            raise Http404
        return found
