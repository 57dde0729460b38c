"""`/api/v1/…`: the orchestrator's resources for programs with a key, on the pipeline's own records."""
