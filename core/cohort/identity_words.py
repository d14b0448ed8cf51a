"""Words by which a name in a report is told: given names, words that begin a name, words that only look like one."""

from __future__ import annotations

import re

_WORDS = re.compile(r"\S+")

GIVEN_NAMES = tuple(
    _WORDS.findall("""
Aaron Adam Adelheid Ahmed Albert Alexander Alexandra Alfred Ali Alice Amanda Amy Andrea Andreas Andrew Angela
Angelika Anita Anja Anke Ann Anna Anne Anneliese Annette Anthony Anton Antonio Armin Arthur Astrid August
Barbara Benjamin Bernd Bernhard Bettina Betty Bianca Birgit Boris Brenda Brian Brigitte Bruno Carla Carlos
Carmen Carol Carolin Caroline Catherine Charles Charlotte Chris Christa Christian Christiane Christina Christine
Christoph Christopher Claudia Cornelia Cynthia Dagmar Daniel Daniela David Deborah Dennis Detlef Diana Dieter
Dirk Dominik Donald Donna Doris Dorothea Dorothy Edith Edward Eleanor Elena Elfriede Elisabeth Elizabeth Elke
Ella Emily Emma Eric Erich Erika Ernst Erwin Eva Eugene Fatma Felix Florian Frances Francis Frank Franz Fred
Friedrich Fritz Gabriele Gary George Georg Gerald Gerd Gerda Gerhard Gertrud Gisela Gregory Gudrun Guenter
Gustav Günter Günther Hannelore Hannah Hans Harald Harold Harry Hartmut Hasan Hedwig Heike Heinrich Heinz Helen
Helena Helga Helmut Henry Herbert Hermann Hildegard Holger Horst Hubert Ilse Inge Ingeborg Ingrid Irene Irma
Isabel Jack Jacob Jakob James Jan Jane Janet Jason Jean Jeffrey Jennifer Jens Jessica Joachim Joan Johann
Johanna Johannes John Jonas Jonathan Jörg Jose Josef Joseph Joshua Joyce Judith Judy Julia Julian Julie Jürgen
Jutta Karen Karin Karl Katharina Katherine Kathleen Katja Katrin Keith Kenneth Kerstin Kevin Kimberly Klaus
Konrad Kurt Lars Larry Laura Lena Leo Leon Linda Lisa Lothar Louis Louise Luca Ludwig Luis Lukas Lutz Manfred
Manuela Marcel Marco Margaret Margarete Maria Marie Marianne Mario Marion Markus Martha Martin Martina Mary
Matthew Matthias Max Mehmet Melanie Melissa Michael Michaela Michelle Miguel Mohamed Mohammed Monika Monica
Moritz Mustafa Nadine Nancy Nathan Nicholas Nicole Nina Norbert Olaf Oliver Olga Oscar Oskar Otto Pamela
Patricia Patrick Paul Paula Pedro Peggy Peter Petra Philip Philipp Rachel Rainer Ralf Ralph Raymond Rebecca
Regina Reinhard Reinhold Renate Richard Rita Robert Roger Roland Rolf Ronald Rosa Rosemarie Rudolf Rüdiger
Russell Ruth Ryan Sabine Samuel Sandra Sara Sarah Scott Sean Sebastian Shirley Siegfried Sigrid Silke Silvia
Simon Simone Sofia Sonja Sophia Sophie Stefan Stefanie Stephan Stephanie Stephen Steven Susan Susanne Sven
Sylvia Tanja Teresa Theodor Theresa Thomas Thorsten Tim Timothy Tobias Tom Torsten Ulrich Ulrike Ursula Ute Uwe
Vanessa Vera Veronika Victor Viktor Vincent Volker Walter Waltraud Werner Wilfried Wilhelm William Wolfgang
Yvonne
""")
)
"""Frequent given names of both languages that mean nothing else in a report (no Grace, Mark, Rose, Will)."""

HEADINGS = (
    "patient(?:in|'s)?(?:[ \\t]+(?:full[ \\t]+)?name)?", "pat\\.", "name(?:[ \\t]+of[ \\t]+(?:the[ \\t]+)?patient)?",
    "(?:nach)?name,[ \\t]*vorname", "nachname", "vorname", "familienname", "geburtsname", "surname",
    "(?:first|last|given|family|maiden)[ \\t]+name", "physician", "(?:referring|attending|ordering|requesting|"
    "treating|family)[ \\t]+(?:physician|doctor|surgeon|clinician)", "attending", "resident", "surgeon", "pathologist",
    "radiologist", "oncologist", "consultant", "gp", "doctor", "next[ \\t]+of[ \\t]+kin",
    "(?:be)?handelnder[ \\t]+arzt", "arzt", "ärztin", "hausarzt", "hausärztin",
    "überweiser(?:in)?", "einsender(?:in)?", "befunder(?:in)?", "operateur",
    "pathologe", "pathologin", "radiologe", "radiologin", "unterschrift", "signature", "angehörige[r]?",
)  # fmt: skip
"""Headings that a name follows after a colon."""

SIGNED = (
    "(?:electronically[ \\t]+)?signed(?:[ \\t]+(?:out|off))?(?:[ \\t]+by)?", "(?:dictated|reported|verified|approved|"
    "authori[sz]ed|transcribed|interpreted|read|reviewed)[ \\t]+by", "gez\\.", "gezeichnet",
    "(?:befundet|unterschrieben|"
    "validiert|freigegeben|erstellt|diktiert)[ \\t]+(?:von|durch)",
)  # fmt: skip
"""Words that a signature follows."""

RELATIVES = (
    "wife", "husband", "daughter", "son", "mother", "father", "brother", "sister", "Ehefrau", "Ehemann", "Tochter",
    "Sohn", "Mutter", "Vater", "Bruder", "Schwester", "Nurse", "Sister", "Pfleger",
)  # fmt: skip

NO_NAME = frozenset(
    _WORDS.findall("""
a address adress age alive als alter am an anamnese and angaben are asian at befund black blue by caucasian
center child clinic clinical comment consent da dako das date dead denied department der diabetes diagnose
diagnosis die diese dieser doctor ein eine elderly electronic electronically es fax female final for frau from
frozen gender give given green gross has have he her herr his history hospital ihr im immunohistochemistry in
ink inked institut is ist it kein keine keiner klinik klinisch klinische kollege kollegen kollegin lab
laboratory leber left leica lesion list liver male mann mass material md medical men microscopic mit mixed n/a
na nach name nein no none normal not nr number of off office on or organ other others out page pager pages path
pathologie pathologist pathology patient patienten patientin pending phone positive procedure prof professor
radiologie radiology received red redacted report result results right roche section see seen seit sex sie
signature signed site specimen status surg surgery surgical tel the this tissue to treated tumor tumour type
unbekannt und unknown ventana von was were white with woman yellow yes zustand
""")
)
"""Words that begin no name where a name may stand."""

MONTHS = (
    "Jan(?:uary|uar)?", "Jän(?:ner)?", "Feb(?:ruary|ruar)?", "Mar(?:ch)?", "März?", "Mrz", "Apr(?:il)?", "Mai", "May",
    "June?", "Juni", "July?", "Juli", "Aug(?:ust)?", "Sept?(?:ember)?", "O[ck]t(?:ober)?", "Nov(?:ember)?",
    "De[cz](?:ember)?",
)  # fmt: skip
