"""What a sentence about paying does with its day: commits to it, tells of money gone, or only asks for it.

Fixed wordings in six languages, found in all of them at once (a mail's language may be misread). Folded words as in
concepts.tsv: `*` for any letters at a word's end, `~` for up to two words between.
"""

from dataclasses import dataclass
from functools import cache

from disputes.concepts import Concepts
from disputes.passages import Passage

COMMITS, DONE, REST, HEDGED = "COMMITS", "DONE", "REST", "HEDGED"

_COMMITS = """
will be paid; going to be paid; will get paid; gets paid ~ on; be paid ~ on; will pay; ll pay; shall pay
going to pay; will transfer; ll transfer; will settle; will be settled; ll settle; it goes; goes ~ on ~ run
goes out ~ on; goes in ~ run; goes on the; will go out; ll go out; going out on; is going on; reaches you
will reach you; you will have; you ll have; ll be with you; in for the ~ run; in the run of; on the run of
is in the run; released for ~ run; are paying ~ on; is set for; are set for; scheduled for; booked for payment
leaves us on; leaves our bank; will be released; will clear; sera payee; sera paye; seront payees; seront payes
sera reglee; sera regle; seront reglees; seront regles; sera solde*; sera vire*; seront vire*; je paie le
je paye le; je paierai; je payerai; nous paierons; on paie ~ le; on paye ~ le; on paiera; je vire; on vire
nous virons; nous virerons; je virerai; je regle ~ le; je reglerai; nous reglerons; nous reglons; reglerons
virement le; virement prevu; virement programme; paiement prevu; paiement programme; reglement prevu
reglement programme; partira le; part ~ le; partent ~ le; vous l aurez; vous les aurez; vous recevrez
sera ~ credite*; seront chez vous; sera chez vous; passera ~ le; passe au paiement; passe ~ lot; wird ~ bezahlt
wird ~ beglichen; wird ~ uberwiesen; werden ~ bezahlt; werden ~ beglichen; werden ~ uberwiesen
wird ~ angewiesen; wird mit dem; wird am; wird zum; wird bis; werden am; werden zum; werden bis; geht ~ lauf
im zahllauf; mit dem zahllauf; zahllauf vom; zahllauf am; uberweisen wir; wir uberweisen; uberweise ich
ich uberweise; zahlen wir; wir zahlen; zahle ich; ich zahle; begleichen wir; wir begleichen; geht ~ raus am
geht am; kommt am; folgt am; haben sie das geld; erhalten sie ~ am; ist ~ bei ihnen; se pagara*; sera pagada
sera pagado; seran pagadas; pagamos el; pagamos ~ el; pagaremos; pago el; pagare; la pagamos; lo pagamos
transferimos; transferiremos; haremos la transferencia; haremos el pago; transferencia el
transferencia prevista; pago previsto; pago programado; sale el; saldra el; sale ~ el; saldra ~ el; lo tendran
la tendran; tendran el; verra pagata; verra pagato; verra regolat*; verra saldat*; verranno pagat*; sara pagat*
sara saldat*; saranno pagat*; paghiamo; pagheremo; la pago; lo pago; paghero; saldiamo; salderemo; bonifichiamo
bonificheremo; faremo il bonifico; bonifico previsto; bonifico il; pagamento previsto; parte il; partira il
l avrete; lo riceverete; vi arriva*; wordt ~ betaald; wordt op; worden op; wordt uiterlijk; wordt vrijdag
worden ~ betaald; zal ~ betaald; betalen wij; betalen we; wij betalen; we betalen; ik betaal; betaal ik
wij maken ~ over; we maken ~ over; maken wij; maken we; ik maak ~ over; wordt ~ overgemaakt
worden ~ overgemaakt; wordt ~ overgeschreven; schrijven we; gaat ~ mee; gaat ~ de deur uit; betaalrun van
betaling gepland; volgt op; ontvangt u ~ op; i ll do ~ on; will do ~ on; get it on; on the ~ run; on the ~ check
expect it; expect payment; expect ~ by; count on; will send; will be processed; will be included; rechnen sie mit
bekommen sie; kriegen sie; wird gezahlt; werden gezahlt; zahle am; zahlen am; uberweise am; ist eingeplant
ist ~ eingeplant; wird angewiesen; comptez sur; sera dans; seront dans; sera debite*; je vous regle; on vous regle
nous vous reglons; je vous vire; je vous paie; partira avec; passera dans; passe dans le; mise en paiement
cuente con; cuenten con; te hago; os hago; le hago; les hago; te pago; os pago; os pagamos; le pagamos; les pagamos
se paga el; se paga en; entra en la remesa; va en la remesa; conti su; contate su; vi pago; ve la pago; te la pago
le pago; li pago; vi faccio; ti faccio; le faccio; va in pagamento; vanno in pagamento; va nel giro; reken op
rekent u op; maak ik; maak ~ over; zit in de run; zit in ~ run; wordt meegenomen; staat klaar voor; staat ~ gepland
run ~ verplaatst; have until; werden morgen; wird morgen; werden heute; wird heute; lo hago el; la hago el
reglement du; paiement du solde; passeront; passera a; la pasan el; lo pasan el; la pasamos el
lo pasamos el; la pasa el; be there; go on the; bezahlen wir
wir bezahlen; bezahle ich; ich bezahle; bezahlen am; bezahle am
"""
_DONE = """
paid on; paid last; was paid; were paid; been paid; has been paid; have paid; we paid; i paid; paid u
already paid; it went; went on; went out; went through; has gone; has left; left our; sent on; cleared on
paid today; transferred on; transferred last; wired on; settled on
ordre passe; parti ce; partis ce; parti hier; est parti; sont partis; est paye; est payee
sont payes; ete paye*; ete regle*; ete vire*; avons paye; avons regle; avons vire; ai paye; ai vire; ai regle
vire vendredi; vire lundi; vire hier; regle hier; paye depuis; payee depuis; wurde ~ bezahlt; wurde ~ uberwiesen
haben ~ uberwiesen; haben ~ bezahlt; habe ~ uberwiesen; ist ~ bezahlt; ist ~ raus; gehen heute raus
geht heute raus; pagado el; pagada el; pagado; pagada; hemos pagado; hemos transferido; hemos ordenado; se pago
ha sido pagad*; hecho hoy; abbiamo pagato; pagata il; pagato il; abbiamo disposto; e stata pagata
e stato pagato; ho pagato; ho fatto il bonifico; disposto bonifico; is ~ betaald; werd betaald; hebben ~ betaald
heb ~ betaald; hebben ~ overgemaakt; heb ~ overgemaakt; al de deur uit
"""
_REST = """
the rest; the balance; the remainder; other half; second half; remaining; next instalment; first instalment
le reste; le solde; l autre moitie; lautre moitie; autre moitie; seconde moitie; deuxieme moitie
premiere echeance; der rest; den rest; die andere halfte; andere halfte; zweite halfte; restbetrag
die erste rate; erste rate; el resto; la otra mitad; otra mitad; primer plazo; il resto; l altra meta
altra meta; il saldo; prima rata; de rest; het restant; andere helft; tweede helft; eerste schijf
eerste termijn; first ~ reaches; the same on; autant le; denselben betrag; lo mismo el; lo stesso il
hetzelfde op
"""
_HEDGED = """
if; unless; could; would; might; propose; suggest; provided; as soon as; sauf; si; des que; proposons; propose
pourrions; pourrais; pourriez; accepter; falls; wenn; sobald; sofern; konnten; konnte; vorschlag; schlagen
vorschlagen; hasta que; podriamos; podria; propongo; proponemos; cuando; se ci; potremmo; potrei; proponiamo
propongo; appena; non appena; als; indien; zodra; zouden; voorstel; stellen voor; until; tant que; solange
finche; totdat
"""


@dataclass(frozen=True, slots=True)
class Said:
    """Of each sentence, by its number, what its wordings do."""

    by_sentence: dict[int, frozenset[str]]

    def of(self, sentence: int) -> frozenset[str]:
        """What one sentence does: some of COMMITS, DONE, REST, HEDGED."""
        return self.by_sentence.get(sentence, frozenset())


def said_in(new: Passage) -> Said:
    """What each sentence of a text does with its days."""
    found: dict[int, set[str]] = {}
    hits = wordings().find(new.tokens)
    ahead = [hit for hit in hits if hit.concept == COMMITS]
    for hit in hits:
        if hit.concept == DONE and any(hit.first < one.last and one.first < hit.last for one in ahead):
            continue  # "paid on" of "will be paid on"
        found.setdefault(new.tokens.sentences[hit.first], set()).add(hit.concept)
    return Said({sentence: frozenset(names) for sentence, names in found.items()})


@cache
def wordings() -> Concepts:
    """The wordings of this module, built once a process."""
    tables = ((COMMITS, _COMMITS), (DONE, _DONE), (REST, _REST), (HEDGED, _HEDGED))
    rows = [(name, row.strip()) for name, table in tables for row in table.replace("\n", ";").split(";")]
    return Concepts((name, row) for name, row in rows if row)
