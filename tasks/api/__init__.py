"""The HTTP surface: one module per route family."""
