"""What the `offline` generator writes: `wants` reads the brief and the checks, `data` the attachments, `site` makes the files."""
