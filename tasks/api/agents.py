"""Programs that call the API: who they are, what their role lets them do, and which tasks they see.

A key goes into the header `X-API-KEY`. Keys are made in the admin, each for one agent with one role; DEMO_API_KEY, where it is set, is good for
every role. What an agent may not see does not exist for it (404); what it sees but may not do is refused (403).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from tasks.models import AgentKey, TaskRequest

HEADER = "X-API-KEY"
GENERATOR, CODER, EVALUATOR, READER = AgentKey.Role.values
DEMO = "demo"  # the agent's name where DEMO_API_KEY is used

NOTED_EVERY = timedelta(minutes=1)  # `last_used_at` is not written more often


@dataclass(frozen=True)
class Agent:
    """A program with a valid key."""

    name: str
    roles: frozenset[str]
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def is_demo(self) -> bool:
        return len(self.roles) > 1

    def may(self, *roles: str) -> bool:
        """Has it one of these roles?"""
        return not self.roles.isdisjoint(roles)


def agent_of(request: HttpRequest | Request) -> Agent | None:
    """Whose key the request carries; None for a missing key, `AuthenticationFailed` for one that is not (or no longer) good."""
    key = request.headers.get(HEADER, "")
    if not key:
        return None
    if settings.DEMO_API_KEY and hmac.compare_digest(key.encode(), settings.DEMO_API_KEY.encode()):
        return Agent(DEMO, frozenset(AgentKey.Role.values))
    try:
        row = cast("AgentKey | None", AgentKey.objects.get_from_key(key))
    except AgentKey.DoesNotExist:
        row = None
    if row is None or row.has_expired:
        raise AuthenticationFailed("This key is not known, revoked or expired; an administrator makes keys under Agents, Agent keys.")
    now = timezone.now()
    AgentKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY), pk=row.pk).update(last_used_at=now)
    return Agent(row.name, frozenset({row.role}))


class KeyAuthentication(BaseAuthentication):
    """DRF's way to `agent_of`: the agent is `request.user`."""

    def authenticate(self, request: Request) -> tuple[Agent, None] | None:
        agent = agent_of(request)
        return (agent, None) if agent else None

    def authenticate_header(self, request: Request) -> str:
        return f'ApiKey header="{HEADER}"'  # with a challenge DRF answers 401, not 403


class KeyScheme(OpenApiAuthenticationExtension):
    """For the API's schema."""

    target_class = KeyAuthentication
    name = "agentKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}


class HasRole(BasePermission):
    """The view's `roles` for this method (or action), e.g. `{"POST": (GENERATOR,)}`; a method that is not named needs any key."""

    message = "Your key's role may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        agent = request.user
        if not isinstance(agent, Agent):
            return False
        roles = getattr(view, "roles", {})
        allowed = roles.get(getattr(view, "action", None) or "", roles.get(request.method))
        return allowed is None or agent.may(*allowed)


def visible(agent: Agent) -> QuerySet[TaskRequest]:
    """The tasks that exist for this agent."""
    if agent.may(READER):
        return TaskRequest.objects.all()
    mine = Q(pk=None)
    if agent.may(GENERATOR):
        mine |= Q(creator_agent=agent.name)
    if agent.may(CODER):
        mine |= Q(coder__in=("", agent.name))
    if agent.may(EVALUATOR):
        mine |= Q(evaluator__in=("", agent.name))
    return TaskRequest.objects.filter(mine, email="")
