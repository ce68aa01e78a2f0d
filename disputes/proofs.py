"""Whether words ask for a proof of delivery, in the languages owners write. Pure."""

import unicodedata

import re2

_PROOF = re2.compile(
    r"\b(?:pod|p\.o\.d\.?|proof of delivery|delivery (?:note|proof|slip|receipt)|signed (?:cmr|delivery)|cmr|"
    r"bon(?:s)? de livraison|bl|preuve (?:de )?livraison|justificatif de livraison|emarge[e]?|lettre de voiture|"
    r"lieferschein|ablieferbeleg|albaran|bolla|ddt|afleverbon|pakbon|vrachtbrief)\b"
)


def is_proof(text: str) -> bool:
    """Whether a proof of delivery is what is asked for."""
    plain = "".join(char for char in unicodedata.normalize("NFD", text[:2_000]) if not unicodedata.combining(char))
    return _PROOF.search(plain.lower()) is not None
