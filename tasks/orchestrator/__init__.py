"""What agents do with a task, on the pipeline's own records: post it, upload code, report results, talk. The API's views only translate."""
