"""People who may log in, and their groups: Django's own admins in the skin's forms."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

PERMISSIONS = "Permissions"

admin.site.unregister(User)
admin.site.unregister(Group)


HINT = (
    "To let somebody in: tick Staff status, choose a group (instructor, assistant or student-reader; README, Who may do what), and enter the e-mail "
    "address of their submission above, by which a student's own report and practice are found."
)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    fieldsets = tuple(
        (name, {**options, "description": HINT} if name == PERMISSIONS else options) for name, options in DjangoUserAdmin.fieldsets or ()
    )
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass
