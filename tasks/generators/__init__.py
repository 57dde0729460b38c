"""Who writes the page. One backend, one file: `gemini`, `openai`, `offline`."""

from tasks.generators.base import Answer, AttachedFile, Generator, Image, Inputs, Prompt

__all__ = ["Answer", "AttachedFile", "Generator", "Image", "Inputs", "Prompt", "get_generator"]


def get_generator(name: str) -> Generator:
    """The backend of that name (the GENERATOR setting)."""
    from tasks.backends import load

    generator: Generator = load("generators", "Generator", name)
    return generator
