"""The planning forms by name."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from workspan.data.content import JsonObject
from workspan.errors import InputError, nearest
from workspan.planning.base import Instance
from workspan.planning.calendar import Calendar
from workspan.planning.meeting import Meetings
from workspan.planning.steg_poet import StegPoet
from workspan.planning.trip import Trip

FORMS: Mapping[str, type[Trip | Meetings | Calendar | StegPoet]] = {
    form.form: form for form in (Trip, Meetings, Calendar, StegPoet)
}


def read(plan: JsonObject) -> Instance:
    """Return the instance that a problem's `plan` holds.

    Raises:
        InputError: there is none, or it can't be read.
    """
    fields = plan.value
    if not fields:
        raise InputError("it has no plan")
    form = fields.pop("form", None)
    if not isinstance(form, str):
        raise InputError(f"its plan names no form: {', '.join(FORMS)}")
    if form not in FORMS:
        raise InputError(f"unknown planning form {form!r}: {nearest(form, FORMS)}")
    try:
        return msgspec.convert(fields, FORMS[form])
    except (ValueError, msgspec.ValidationError) as error:
        raise InputError(f"not an instance of {form}: {error}") from None
