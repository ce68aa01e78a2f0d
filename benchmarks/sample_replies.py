"""Replies as mail programs write them in eight languages, each with the text that was newly written."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

HEADS: dict[str, tuple[str, ...]] = {
    "fr": (
        "Le mar. 3 févr. 2026 à 10:12, Anne Roy <a.roy@client.example> a écrit :",
        "Le 03/02/2026 à 10:12, Anne Roy a écrit :",
        "De : Anne Roy <a.roy@client.example>\nEnvoyé : mardi 3 février 2026 10:12\nÀ : Compta\nObjet : Re: 4711",
        "-----Message d'origine-----",
    ),
    "en": (
        "On Tue, Feb 3, 2026 at 10:12 AM Anne Roy <a.roy@client.example> wrote:",
        "On 3 Feb 2026, at 10:12, Anne Roy <a.roy@client.example> wrote:",
        "From: Anne Roy <a.roy@client.example>\nSent: Tuesday, February 3, 2026 10:12 AM\nTo: AR\nSubject: Re: 4711",
        "-----Original Message-----",
    ),
    "de": (
        "Am Di., 3. Feb. 2026 um 10:12 Uhr schrieb Anne Roy <a.roy@client.example>:",
        "Am 03.02.26 um 10:12 schrieb Anne Roy:",
        "Von: Anne Roy <a.roy@client.example>\nGesendet: Dienstag, 3. Februar 2026 10:12\nAn: AR\nBetreff: Re: 4711",
        "-----Ursprüngliche Nachricht-----",
    ),
    "es": (
        "El mar, 3 feb 2026 a las 10:12, Anne Roy (<a.roy@client.example>) escribió:",
        "El 03/02/2026 a las 10:12, Anne Roy escribió:",
        "De: Anne Roy <a.roy@client.example>\nEnviado: martes, 3 de febrero de 2026 10:12\nPara: AR\nAsunto: Re: 4711",
        "-----Mensaje original-----",
    ),
    "it": (
        "Il giorno mar 3 feb 2026 alle ore 10:12 Anne Roy <a.roy@client.example> ha scritto:",
        "Il 03/02/2026 10:12, Anne Roy ha scritto:",
        "Da: Anne Roy <a.roy@client.example>\nInviato: martedì 3 febbraio 2026 10:12\nA: AR\nOggetto: Re: 4711",
        "-----Messaggio originale-----",
    ),
    "nl": (
        "Op di 3 feb 2026 om 10:12 schreef Anne Roy <a.roy@client.example>:",
        "Op 3 feb 2026, om 10:12 heeft Anne Roy <a.roy@client.example> het volgende geschreven:",
        "Van: Anne Roy <a.roy@client.example>\nVerzonden: dinsdag 3 februari 2026 10:12\nAan: AR\nOnderwerp: Re: 4711",
        "-----Oorspronkelijk bericht-----",
    ),
    "pt": (
        "Anne Roy <a.roy@client.example> escreveu (terça, 3/02/2026 à(s) 10:12):",
        "Às 10:12 de 03/02/2026, Anne Roy escreveu:",
        "Em ter., 3 de fev. de 2026 às 10:12, Anne Roy <a.roy@client.example> escreveu:",
        "De: Anne Roy <a.roy@client.example>\nEnviada: terça, 3 de fevereiro de 2026\nPara: AR\nAssunto: Re: 4711",
        "-----Mensagem original-----",
    ),
    "pl": (
        "wt., 3 lut 2026 o 10:12 Anne Roy <a.roy@client.example> napisał(a):",
        "Wiadomość napisana przez Anne Roy <a.roy@client.example> w dniu 3 lut 2026, o godz. 10:12:",
        "W dniu 03.02.2026 o 10:12, Anne Roy pisze:",
        "Od: Anne Roy <a.roy@client.example>\nWysłane: wtorek, 3 lutego 2026 10:12\nDo: AR\nTemat: Re: 4711",
        "-----Wiadomość oryginalna-----",
    ),
}
"""How programs head what they quote: Gmail, Apple Mail, Thunderbird, Outlook, webmail."""

_WRITTEN: dict[str, tuple[str, ...]] = {
    "fr": ("Bonjour,\n\nLe prix de la ligne 2 est faux : 12,50 au lieu de 11,90.", "Payé le 3, merci de vérifier."),
    "en": ("Hello,\n\nwe were billed for 12 boxes but only 10 came.", "Paid on Monday - please check your bank."),
    "de": ("Guten Tag,\n\ndie Rechnung enthält 19 % statt 7 % MwSt.", "Bitte um Kopie des Lieferscheins."),
    "es": ("Buenos días:\n\nfaltan tres cajas del pedido 8812.", "¿Me pueden enviar la factura otra vez?"),
    "it": ("Buongiorno,\n\nla merce è arrivata danneggiata.", "Il bonifico parte venerdì."),
    "nl": ("Goedemorgen,\n\nde korting van 5% is niet verrekend.", "Graag een kopie van de factuur."),
    "pt": ("Bom dia,\n\na fatura está em duplicado.", "O pagamento segue na sexta-feira."),
    "pl": ("Dzień dobry,\n\ntowar jeszcze nie dotarł.", "Proszę o kopię faktury."),
}
_SIGNED = ("", "\n\n-- \nAnne Roy\nTel. +33 1 42 00 00 00", "\n\nAnne Roy")
_HISTORY = ("Your invoice 4711 of 1,200.00 is due.\nPlease pay by Friday.\n\nKind regards\nAccounts receivable",)


@dataclass(frozen=True, slots=True)
class Reply:
    """A body, and what was newly written: without its signature, and with it."""

    language: str
    text: str
    written: str
    signed: str


def sample_replies(count: int, *, seed: int = 1) -> Iterator[Reply]:
    """So many replies, every way to head a quote about as often as any other."""
    random = Random(seed)
    heads = [(language, head) for language, found in HEADS.items() for head in found]
    for number in range(count):
        language, head = heads[number % len(heads)]
        written, signature = random.choice(_WRITTEN[language]), random.choice(_SIGNED)
        signed = written + signature
        yield Reply(language, f"{signed}\n\n{head}\n\n{_quoted(random, head)}\n", written, signed)


def _quoted(random: Random, head: str) -> str:
    """The history: marked line by line below an attribution as often as not, never below a header block."""
    history = random.choice(_HISTORY)
    if "\n" in head or head.startswith("---") or random.choice((True, False)):
        return history
    return "\n".join(f"> {line}".rstrip() for line in history.split("\n"))


def hostile_bodies(size: int) -> Iterator[tuple[str, str]]:
    """Bodies of `size` characters made to be slow to split, with what each is about."""
    pieces = {
        "one line": "a",
        "quote marks": "> " * 50 + "\n",
        "attributions that never end": "On 3 Feb 2026, at 10:12, Anne Roy <a@b.example>\n",
        "verbs": "Le 3 févr. 2026 a écrit a écrit a écrit ",
        "header lines": "From: a@b.example\nSubject: x\n",
        "brackets": "<" * 400 + "\n",
        "rules": "-----\n",
        "blank lines": "\n",
    }
    for name, piece in pieces.items():
        yield name, (piece * (size // len(piece) + 1))[:size]


def every_head() -> list[tuple[str, str]]:
    """Language and head, for tests that go through all of them."""
    return [pair for language, heads in HEADS.items() for pair in product([language], heads)]
