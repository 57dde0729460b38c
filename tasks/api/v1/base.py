"""What the resources have in common: key and role, cursor pages, filters, and creates that may be sent twice."""

from __future__ import annotations

import hashlib
import re
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tasks.api.agents import CODER, EVALUATOR, GENERATOR, Agent, HasRole, KeyAuthentication, visible
from tasks.api.problems import problem
from tasks.api.views import FormsToo
from tasks.models import IdempotencyKey, TaskRequest

IDEMPOTENCY_HEADER = "Idempotency-Key"
ALL = (GENERATOR, CODER, EVALUATOR)
FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY, (206, "application/octet-stream"): OpenApiTypes.BINARY}
OF_TASK = [OpenApiParameter("task_id", int, OpenApiParameter.PATH)]


class Pages(CursorPagination):
    """The newest first; `next` and `previous` are whole addresses."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Any:
        """A cursor that is none of ours is a 404, whatever it decodes to: the position is an id."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not re.fullmatch("[0-9]{1,18}", str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class Resource(GenericViewSet):  # type: ignore[type-arg]
    """A resource of the API. `roles` says which roles may do an action; one that is not named needs any key."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [HasRole]
    content_negotiation_class = FormsToo
    pagination_class = Pages
    filter_backends = [DjangoFilterBackend]
    roles: dict[str, tuple[str, ...]] = {}

    @property
    def agent(self) -> Agent:
        return cast(Agent, self.request.user)

    def task(self) -> TaskRequest:
        """The task in the address, if this agent may see it."""
        return get_object_or_404(visible(self.agent), pk=self.kwargs["task_id"])

    def valid(self, **extra: Any) -> dict[str, Any]:
        """The body as the action's serializer reads it."""
        serializer = self.get_serializer(data=self.request.data, **extra)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def pages(self, rows: Any) -> Response:
        """One page of the rows."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Creates(Resource):
    """A resource whose POST may carry `Idempotency-Key`: sent again, it gets the first answer again and nothing is done twice."""

    def make(self, request: Request) -> Response:
        """Create it. Called at most once for a key."""
        raise NotImplementedError

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(IDEMPOTENCY_HEADER, "")
        if not key:
            return self.make(request)
        if len(key) > 200:
            return problem(422, "invalid", f"{IDEMPOTENCY_HEADER} may have 200 characters.")
        body = hashlib.sha256(request._request.body).hexdigest()
        earlier = self._earlier(key, request, body)
        if earlier is not None:
            return earlier
        try:
            with transaction.atomic():
                row = IdempotencyKey.objects.create(agent=self.agent.name, key=key, route=request.path, body_sha256=body, status_code=0, answer={})
                response = self.make(request)
                IdempotencyKey.objects.filter(pk=row.pk).update(status_code=response.status_code, answer=_plain(response.data))
                return response
        except IntegrityError:
            earlier = self._earlier(key, request, body)
            if earlier is None:
                raise
            return earlier

    def _earlier(self, key: str, request: Request, body: str) -> Any:
        row = IdempotencyKey.objects.filter(agent=self.agent.name, key=key).first()
        if row is None:
            return None
        if row.body_sha256 != body or row.route != request.path:
            return problem(422, "idempotency-key-reused", f"This {IDEMPOTENCY_HEADER} was sent before with another request; take a new one.")
        return Response(row.answer, status=row.status_code, headers={"Idempotent-Replayed": "true"})


def _plain(data: Any) -> Any:
    """The answer as JSON will hold it."""
    import json

    from rest_framework.utils.encoders import JSONEncoder

    return json.loads(json.dumps(data, cls=JSONEncoder))
