"""To do: the worklist, and what can be done to a task from it."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from app.core.errors import Conflict
from app.web import labels
from app.web.case_actions import ActionForm, BackForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash, is_background
from app.web.session import inside
from app.web.task_view import day_ends, groups_of, place_of, ticks
from disputes.actions import tasks
from disputes.queries.tasks import TaskFilter, list_tasks, next_task, task_counts, visible_task

router = APIRouter()
LIST_COOKIE = "amiable_tasks"
"""The worklist last shown: what is done there leads to its next task."""
PAGE = 50
N_ = str  # marks a msgid for extraction
VIEWS = ((N_("My own"), "mine"), (N_("My team's"), "team"), (N_("Everybody's"), "all"))


class TaskQuery(BaseModel):
    """The filters and the place of the worklist, as the address carries them."""

    whose: Literal["mine", "team", "all"] = "mine"
    kind: str = ""
    due: Literal["", "overdue", "today"] = ""
    case: int | None = None
    after: str | None = None

    @property
    def filters(self) -> TaskFilter:
        """The filters as the query takes them."""
        return TaskFilter(whose=self.whose, kind=self.kind, due=self.due, case=self.case)

    @property
    def values(self) -> dict[str, Any]:
        """What belongs in the address of this list: defaults and the place are left out."""
        return {name: value for name, value in self.model_dump(exclude_defaults=True).items() if name != "after"}


class TakeForm(ActionForm):
    """Who does it: "me", or "nobody" for the team's queue."""

    who: Literal["me", "nobody"] = "me"
    back: str = ""


@router.get("/tasks")
def worklist(request: Request, desk: DeskDep, asked: Annotated[TaskQuery, Query()]) -> Response:
    """What there is to do, the most overdue first."""
    found = list_tasks(
        desk.session,
        user=desk.user,
        filters=asked.filters,
        now=desk.now,
        day_ends=day_ends(desk),
        after=asked.after,
        limit=PAGE,
    )
    response = desk.page(
        "tasks/list.html",
        groups=groups_of(desk, found.rows),
        next_key=found.next_key,
        asked=asked,
        counts=task_counts(desk.session, user=desk.user, now=desk.now),
        views=VIEWS,
        kinds=labels.TASKS,
        narrowed=bool(asked.kind or asked.due or asked.case),
    )
    if not is_background(request):
        response.set_cookie(LIST_COOKIE, request.url.query, samesite="lax", httponly=True, path="/")
    return response


@router.get("/tasks/{task_id}")
def go(desk: DeskDep, task_id: int) -> Response:
    """The page where a task is done: a stable address for calendars and mails."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id)
    return RedirectResponse(place_of(task), status_code=303)


@router.post("/tasks/{task_id}/done")
def done(desk: DeskDep, task_id: int, form: Annotated[BackForm, Form()]) -> Response:
    """Tick a task off. What has a page of its own is done there."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id)
    back = inside(form.back or "/tasks")
    if not ticks(task):
        return desk.done(place_of(task))
    if task.state == "open":
        tasks.tick_off(desk.session, task_id=task_id, actor=desk.actor, now=desk.now)
    return desk.done(back, Flash("task_done", f"/tasks/{task_id}/reopening", {"back": back}))


@router.post("/tasks/{task_id}/reopening")
def reopen(desk: DeskDep, task_id: int, form: Annotated[BackForm, Form()]) -> Response:
    """It was not done after all. What ended by its own rules is not opened by hand."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id)
    if not ticks(task):
        raise Conflict(f"Task {task_id} ended by its own rules and is not simply opened again")
    tasks.reopen(desk.session, task_id=task_id, actor=desk.actor, now=desk.now)
    return desk.done(inside(form.back or "/tasks"), Flash("task_open"))


@router.post("/tasks/{task_id}/taking")
def take(desk: DeskDep, task_id: int, form: Annotated[TakeForm, Form()]) -> Response:
    """Take a task, or put it back into the team's queue."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id)
    back = inside(form.back or "/tasks")
    user_id = desk.user.id if form.who == "me" else None
    undo = Flash("task_taken", f"/tasks/{task_id}/taking", {"who": "nobody", "back": back})
    told = undo if user_id and task.assignee_id is None else Flash("task_taken" if user_id else "task_given_back")
    tasks.assign(desk.session, task_id=task_id, user_id=user_id, actor=desk.actor, now=desk.now)
    return desk.done(back, told)


def last_tasks(desk: Desk) -> TaskQuery:
    """The worklist the user came from, as their browser remembers it; their own tasks when it does not."""
    try:
        return TaskQuery.model_validate(dict(parse_qsl(desk.request.cookies.get(LIST_COOKIE, ""))))
    except ValidationError:
        return TaskQuery()


def on_to_next(desk: Desk, kind: str) -> str:
    """After one task of a kind: the next of that kind in the list one came from, else the list, which says why (U9)."""
    asked = last_tasks(desk)
    filters = TaskFilter(whose=asked.whose, kind=kind, due=asked.due)
    number = next_task(desk.session, user=desk.user, filters=filters, now=desk.now)
    return f"/tasks/{number}" if number else "/tasks"
