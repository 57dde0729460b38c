"""Screenshots as thumbnails. Only ids, sizes and times are read here: the images come one by one from the screenshots' own view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db.models import Prefetch, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from tasks.models import Round, Screenshot

SHAPES = ("desktop", "phone")  # the names that have a shape of their own; anything else is shown as a desktop


@dataclass(frozen=True)
class Picture:
    """One thumbnail: where the image is, what to call it, and its shape (a class of `admin.css`)."""

    url: str
    alt: str
    caption: str
    shape: str


@dataclass
class Strip:
    """The newest pictures of one version or one deployment, the desktop first."""

    title: str
    note: str = ""
    rows: dict[str, Screenshot] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)


def image_url(pk: int) -> str:
    return reverse("admin:tasks_screenshot_image", args=[pk])


def shape(name: str) -> str:
    return name if name in SHAPES else "desktop"


def picture(row: Screenshot, of: str, image: Callable[[int], str] = image_url) -> Picture:
    alt = f"Screenshot of {of}, {row.name}, {row.width} by {row.height} pixels"
    return Picture(image(row.pk), alt, f"{row.name}, {row.width} × {row.height}", shape(row.name))


def strips(rows: Iterable[Screenshot], chosen: int | None = None) -> list[Strip]:
    """By what was looked at: live pages first, then the chosen version, then the others, the newest first."""
    found: dict[tuple[int, int], Strip] = {}
    for row in rows:
        if row.deployment_id is not None and row.deployment is not None:
            strip = found.setdefault((2, row.deployment_id), Strip("live page", f"commit {row.deployment.commit_sha[:10]}"))
        elif row.version is not None:
            is_chosen = bool(chosen) and row.version_id == chosen
            strip = found.setdefault((int(is_chosen), row.version.pk), Strip(f"version {row.version.number}", "chosen" if is_chosen else ""))
        else:
            strip = found.setdefault((0, 0), Strip("page"))
        if row.name not in strip.rows or strip.rows[row.name].pk < row.pk:
            strip.rows[row.name] = row
    ordered = [found[key] for key in sorted(found, reverse=True)]
    for strip in ordered:
        shown = sorted(strip.rows.values(), key=lambda row: (row.name != "desktop", row.pk))
        strip.pictures = [picture(row, strip.title) for row in shown]
        strip.note = ", ".join(part for part in (strip.note, f"{shown[0].created_at:%d %b %H:%M:%S} UTC") if part)
    return ordered


def of_round(round_: Round) -> list[Strip]:
    rows = round_.screenshots.select_related("version", "deployment").defer("content", "version__prompt", "version__raw_answer")
    return strips(rows, round_.version_id)


def of_reports(ids: Iterable[int], image: Callable[[int], str] = image_url) -> dict[int, list[Picture]]:
    """By report: the newest picture of each shape, the desktop first. `image` is the address of an image by its id."""
    newest: dict[tuple[int, str], Screenshot] = {}
    for row in Screenshot.objects.filter(report__in=list(ids)).only("pk", "report_id", "name", "width", "height").order_by("pk"):
        newest[(row.report_id or 0, row.name)] = row
    found: dict[int, list[Picture]] = {}
    for (report, _), row in sorted(newest.items(), key=lambda item: (item[0][0], item[0][1] != "desktop")):
        found.setdefault(report, []).append(picture(row, "the reported page", image))
    return found


def shown(pictures: list[Picture]) -> SafeString:
    return render_to_string("admin/tasks/_pictures.html", {"pictures": pictures})


# -- small ones for lists -----------------------------------------------------------------------------------------------------------------


def with_pictures(rounds: QuerySet[Round]) -> QuerySet[Round]:
    """Fetches ids and names of every round's screenshots along, as `shots`: one query for the whole list, and no image."""
    known = Screenshot.objects.only("pk", "round_id", "version_id", "deployment_id", "name")
    return rounds.prefetch_related(Prefetch("screenshots", known, to_attr="shots"))


def best(round_: Round) -> int | None:
    """The id of the picture that says most of a round: live before chosen before newest, desktop before phone."""
    shots: list[Screenshot] = getattr(round_, "shots", [])
    ranked = [(shot.deployment_id is not None, shot.version_id == round_.version_id, shot.name == "desktop", shot.pk) for shot in shots]
    return max(ranked)[-1] if ranked else None


def thumbnail(pk: int | None, page: str, alt: str) -> SafeString:
    """A small picture that leads to `page`; an empty frame without one."""
    return render_to_string("admin/tasks/columns/_thumbnail.html", {"image": image_url(pk) if pk else "", "page": page, "alt": alt})
