"""The short mail a letter goes out with: the letter itself is attached, a person answers. Pure."""

from collections.abc import Mapping

from letters.kinds import Language
from letters.letter_facts import LetterFacts

_SAID: Mapping[Language, tuple[str, str, str]] = {
    "en": ("Dear Sir or Madam,", "Please find our letter attached.", "A question? Just answer this mail, or call us."),
    "fr": (
        "Madame, Monsieur,",
        "Vous trouverez notre courrier en pièce jointe.",
        "Une question ? Répondez simplement à ce message, ou appelez-nous.",
    ),
    "de": (
        "Guten Tag,",
        "unser Schreiben finden Sie im Anhang.",
        "Haben Sie Fragen? Antworten Sie einfach auf diese E-Mail oder rufen Sie uns an.",
    ),
    "es": (
        "Estimados señores:",
        "Adjuntamos nuestra carta.",
        "¿Tiene alguna pregunta? Responda a este mensaje o llámenos.",
    ),
    "it": (
        "Gentili Signori,",
        "in allegato trovate la nostra lettera.",
        "Avete domande? Rispondete a questo messaggio o chiamateci.",
    ),
    "nl": (
        "Geachte heer of mevrouw,",
        "Onze brief vindt u in de bijlage.",
        "Hebt u een vraag? Beantwoord deze e-mail of bel ons.",
    ),
}


def cover(facts: LetterFacts) -> str:
    """The mail's text, signed as the letter is."""
    greeting, attached, ask = _SAID[facts.language]
    signed = [facts.signature.name, facts.seller.name, facts.signature.phone]
    return "\n\n".join((greeting, attached, ask, "\n".join(line for line in signed if line))) + "\n"


def file_name(facts: LetterFacts) -> str:
    """What the attached PDF is called; plain letters only, so that every mail program shows it."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in facts.reference)
    return f"{plain or 'letter'}.pdf"
