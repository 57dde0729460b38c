"""The stages of the pipeline, one file each; `tasks/pipeline.py` holds their order."""
