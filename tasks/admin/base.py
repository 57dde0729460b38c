"""What every admin of a record shares: history is read-only, and a record with much to show has a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from tasks.admin.downloads import download

COUNTED = 10_000  # rows that a list counts and pages through; what is older is found by its filters and search


class ShortPaginator(Paginator):
    """Stops counting at COUNTED, so that a list costs the same however long the history is."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by().values("pk")[:COUNTED].count()


class List(ModelAdmin):
    """A list that takes any filter: a value that no column can hold (a NUL, the year 10²⁰) leads to the whole list, as Django does with those that
    it sees itself."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return cast(HttpResponse, super().changelist_view(request, extra_context))
        except (ValueError, OverflowError, DataError):
            if set(request.GET) <= {ERROR_FLAG}:
                raise
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")


class ReadOnlyAdmin(List):
    """A list and a page, both to look at: nothing is added, changed or deleted."""

    list_fullwidth = True
    list_filter_submit = False
    list_per_page = 50
    paginator = ShortPaginator
    show_full_result_count = False
    compressed_fields = True
    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Paged(List):
    """A record shown by `page_template` in place of a form; `page_context` gives what the template needs."""

    page_template: ClassVar[str]

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def row_or_403(self, request: HttpRequest, object_id: str) -> Any:
        """The record, None when there is none; PermissionDenied for whoever may not see it."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        row = self.row_or_403(request, object_id)
        if request.method == "POST":
            raise PermissionDenied("Records are not edited.")
        if row is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        return self.framed(request, row, self.page_template, {**self.page_context(request, row), **(extra_context or {})})

    def framed(self, request: HttpRequest, row: Any, template: str, extra: dict[str, Any]) -> TemplateResponse:
        """A page of the record in the skin's frame."""
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "original": row,
            "is_fullwidth": "1",
            "may_delete": self.has_delete_permission(request, row),
            **extra,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)


class PageAdmin(Paged, ReadOnlyAdmin):
    """A record of history with a page of its own."""


class SuperuserDeletes(PageAdmin):
    """A superuser may delete the record with its whole history, which nobody may delete piece by piece; Django's cascade does it."""

    actions: Any = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The records, how many rows go with them, and what stands in the way: a version that another round published, say."""
        _, counts, _, kept = super().get_deleted_objects(objs, request)
        return [str(row) for row in objs], counts, set(), kept


class Downloads(ReadOnlyAdmin):
    """Adds `<id>/download/`: the record's bytes as a file, never shown by the browser."""

    content_type: ClassVar[str] = "text/plain; charset=utf-8"

    def file_of(self, row: Any) -> tuple[str, bytes]:
        """Name and bytes."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        return [path("<path:object_id>/download/", self.admin_site.admin_view(self.download_view), name=name), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        name, content = self.file_of(row)
        return download(name, content, self.content_type)


def is_list(request: HttpRequest) -> bool:
    """Whether this request shows a list, where long columns are left in the database."""
    match = request.resolver_match
    return bool(match and match.url_name and match.url_name.endswith("_changelist"))


def counted(model: type[Model], owner: str) -> Coalesce:
    """How many rows of `model` point at a row with `owner`: asked only for the rows of the page, where a join would group the whole table."""
    rows = model._default_manager.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def post_url(admin: ModelAdmin, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
    """`<id>/<name>/`, POST only, behind the admin's login and CSRF check."""
    route = f"{admin.opts.app_label}_{admin.opts.model_name}_{name}"
    return path(f"<path:object_id>/{name}/", admin.admin_site.admin_view(require_POST(view)), name=route)
