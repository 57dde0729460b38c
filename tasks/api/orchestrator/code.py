"""Code: uploaded by version, listed, downloaded, deleted."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import CODER, visible
from tasks.api.content import attachment
from tasks.api.orchestrator.answers import FileRow, answer, stored_path
from tasks.api.orchestrator.bodies import CodeIn
from tasks.api.orchestrator.call import MAX_ROWS, TEXT, Call, documented
from tasks.api.v1.uploaded import files_of
from tasks.models import CodeVersion, GeneratedFile
from tasks.orchestrator import uploads

SAMPLE = {"task_id": 1, "version": "v1", "agent": "coder", "filename": "main.py", "file_content": "print('accuracy 0.9')\n"}
STORED = answer(
    "CodeStored",
    stored_path=serializers.CharField(),
    stored_paths=serializers.ListField(child=serializers.CharField()),
    version=serializers.CharField(),
)
VERSION = answer("CodeNames", version=serializers.CharField(), files=serializers.ListField(child=serializers.CharField()))


@documented(STORED, {"multipart/form-data": CodeIn, "application/json": CodeIn}, SAMPLE)
class UploadCode(Call):
    shape, roles = CodeIn, {"POST": (CODER,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task, files = self.task(body["task_id"]), files_of(body)
        if not files:
            return Response({"detail": "Send `file` or `file_content`."}, status=400)
        done = uploads.upload(task, body["version"], files, self.named(body["agent"]))
        paths = [stored_path(done.version, file.path) for file in done.files]
        return Response({"stored_path": paths[0], "stored_paths": paths, "version": uploads.label_of(done.version)})


@documented(answer("CodeVersions", versions=serializers.ListField(child=VERSION)))
class GetVersions(Call):
    @extend_schema(operation_id="get_code_versions")
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).versions.prefetch_related("files").order_by("id")[:MAX_ROWS]
        return Response({"versions": [{"version": uploads.label_of(row), "files": [file.path for file in row.files.all()]} for row in rows]})


@documented(answer("CodeFiles", items=FileRow(many=True)))
class GetVersion(Call):
    def get(self, request: Request, task_id: int, version: str) -> Response:
        row = self.version(self.task(task_id), version)
        return Response({"items": FileRow(row.files.all(), many=True, context={"version": row}).data})


@documented(TEXT, parameters=[OpenApiParameter("filename", str, description="one file of several; else a zip of all")])
class DownloadCode(Call):
    def get(self, request: Request, task_id: int, version: str) -> HttpResponse:
        """The file as text, the one named by `filename`, or a zip of all where there are several."""
        row = self.version(self.task(task_id), version)
        files = {file.path: file for file in row.files.select_related("attachment")}
        name = request.query_params.get("filename") or (next(iter(files)) if len(files) == 1 else "")
        if not name:
            return attachment(request._request, f"task-{task_id}-{uploads.label_of(row)}.zip", uploads.as_zip(row), "application/zip")
        if name not in files:
            raise Http404
        return attachment(request._request, name, files[name].data, "text/plain; charset=utf-8")


@documented(answer("CodeDeleted", deleted=serializers.BooleanField()))
class DeleteCode(Call):
    roles = {"DELETE": (CODER,)}

    def delete(self, request: Request, file_id: int) -> Response:
        file = get_object_or_404(
            GeneratedFile.objects.select_related("version"),
            pk=file_id,
            version__kind=CodeVersion.Kind.UPLOAD,
            version__task_request__in=visible(self.agent),
        )
        uploads.delete_file(file)
        return Response({"deleted": True})
