"""The orchestrator's addresses, as its clients call them: one table onto the same records as `/api/v1`."""

from __future__ import annotations

from django.urls import path

from tasks.api import orchestrator

urlpatterns = [
    path("upload_task", orchestrator.UploadTask.as_view()),
    path("get_tasks", orchestrator.GetTasks.as_view()),
    path("get_task/<int:task_id>", orchestrator.GetTask.as_view()),
    path("update_task/<int:task_id>", orchestrator.UpdateTask.as_view()),
    path("upload_code", orchestrator.UploadCode.as_view()),
    path("get_code/<int:task_id>", orchestrator.GetVersions.as_view()),
    path("get_code/<int:task_id>/<str:version>", orchestrator.GetVersion.as_view()),
    path("download_code/<int:task_id>/<str:version>", orchestrator.DownloadCode.as_view()),
    path("delete_code/<int:file_id>", orchestrator.DeleteCode.as_view()),
    path("upload_results", orchestrator.UploadResults.as_view()),
    path("get_results/<int:task_id>", orchestrator.GetResults.as_view()),
    path("get_latest_results/<int:task_id>", orchestrator.GetLatestResults.as_view()),
    path("upload_message", orchestrator.UploadMessage.as_view()),
    path("get_messages/<int:task_id>", orchestrator.GetMessages.as_view()),
    path("upload_feedback", orchestrator.UploadFeedback.as_view()),
    path("get_feedback/<int:task_id>", orchestrator.GetFeedback.as_view()),
    path("get_logs/<int:task_id>", orchestrator.GetLogs.as_view()),
    path("download_log/<int:task_id>/<str:filename>", orchestrator.DownloadLog.as_view()),
    path("spawn_container", orchestrator.SpawnContainer.as_view()),
    path("container_status/<int:container_id>", orchestrator.ContainerStatus.as_view()),
    path("container/<int:container_id>", orchestrator.DeleteContainer.as_view()),
    path("stats", orchestrator.GetStats.as_view()),
]
