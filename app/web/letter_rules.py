"""What letters are made with, at one look: each entity's letterhead, and which texts are the deployment's own."""

from fastapi import APIRouter, Response

from app.web.desk import DeskDep
from app.web.rules.common import MANAGE
from letters.kinds import KINDS, LANGUAGES
from letters.queries.letters import visible_entities
from letters.rules import letter_rules

router = APIRouter(dependencies=MANAGE)


@router.get("/letter-rules")
def show_all(desk: DeskDep) -> Response:
    """The entities' letterheads, and the texts: for whom there are own ones."""
    rules = letter_rules(desk.session)
    entities = visible_entities(desk.session, user=desk.user)
    own: dict[str, list[str]] = {}
    for key in rules.texts:
        kind, language, *entity = key.split("/")
        own.setdefault(f"{kind}/{language}", []).append(entity[0] if entity else "")
    return desk.page(
        "letters/rules.html", entities=entities, heads=rules.letterheads, own=own, kinds=KINDS, languages=LANGUAGES
    )
