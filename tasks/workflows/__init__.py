"""GitHub workflows: when a brief asks for one, what one may hold, and how its YAML is read."""
