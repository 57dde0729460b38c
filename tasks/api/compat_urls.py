"""The orchestrator's addresses, as its clients call them: one table onto the same records as `/api/v1`."""

from __future__ import annotations

from django.urls import path

from tasks.api.orchestrator import code, containers, reports, tasks

urlpatterns = [
    path("upload_task", tasks.UploadTask.as_view()),
    path("get_tasks", tasks.GetTasks.as_view()),
    path("get_task/<int:task_id>", tasks.GetTask.as_view()),
    path("update_task/<int:task_id>", tasks.UpdateTask.as_view()),
    path("upload_code", code.UploadCode.as_view()),
    path("get_code/<int:task_id>", code.GetVersions.as_view()),
    path("get_code/<int:task_id>/<str:version>", code.GetVersion.as_view()),
    path("download_code/<int:task_id>/<str:version>", code.DownloadCode.as_view()),
    path("delete_code/<int:file_id>", code.DeleteCode.as_view()),
    path("upload_results", reports.UploadResults.as_view()),
    path("get_results/<int:task_id>", reports.GetResults.as_view()),
    path("get_latest_results/<int:task_id>", reports.GetLatestResults.as_view()),
    path("upload_message", reports.UploadMessage.as_view()),
    path("get_messages/<int:task_id>", reports.GetMessages.as_view()),
    path("upload_feedback", reports.UploadFeedback.as_view()),
    path("get_feedback/<int:task_id>", reports.GetFeedback.as_view()),
    path("get_logs/<int:task_id>", reports.GetLogs.as_view()),
    path("download_log/<int:task_id>/<str:filename>", reports.DownloadLog.as_view()),
    path("spawn_container", containers.SpawnContainer.as_view()),
    path("container_status/<int:container_id>", containers.ContainerStatus.as_view()),
    path("container/<int:container_id>", containers.DeleteContainer.as_view()),
    path("stats", containers.GetStats.as_view()),
]
